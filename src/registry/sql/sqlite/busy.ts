import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy } from './errors.ts'

/**
 * How long to wait before the next try at a lock. Random, so that several OS processes do not meet again and again;
 * short at first, because a usual commit holds the lock for well under a millisecond.
 */
export const pauseMs = (tries: number): number => 1 + Math.random() * Math.min(20, 2 ** Math.min(tries, 5))

/** Tries until the lock is free or `timeoutMs` has passed, then throws SQLite's own error. Timers keep firing meanwhile. */
export async function retryWhileBusy<T>(attempt: () => T, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (let tries = 0; ; tries++) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      await sleep(pauseMs(tries))
    }
  }
}
