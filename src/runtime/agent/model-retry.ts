import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../model/errors.ts'
import type { RetryPolicy } from '../context.ts'

/** One try of a model call that came to nothing. */
export interface FailedTry {
  readonly error: string
  readonly ms: number
}

/** Tries, the delay before the second, which doubles each time, and the longest delay. */
export const DEFAULT_MODEL_RETRY: Required<RetryPolicy> = { attempts: 3, delayMs: 1_000, maxDelayMs: 30_000 }

/** Longer than that nobody holds a call open for a provider that asks to be left alone. */
const LONGEST_ASKED_MS = 60_000

/**
 * Tries a model call until it answers, its provider says that trying again is no use, or the tries are used up. The
 * provider's word on when to come again counts more than the policy.
 */
export async function tryModel<T>(
  once: () => Promise<T>,
  { retry, signal, mayRepeat }: ModelTries,
): Promise<{ readonly value: T; readonly failedTries: readonly FailedTry[] }> {
  const { attempts, delayMs, maxDelayMs } = { ...DEFAULT_MODEL_RETRY, ...retry }
  const failedTries: FailedTry[] = []
  for (let tried = 1; ; tried++) {
    const begunAt = performance.now()
    try {
      return { value: await once(), failedTries }
    } catch (error) {
      if (tried >= attempts || signal.aborted || !isRetryable(error) || !mayRepeat()) throw error
      failedTries.push({ error: messageOf(error), ms: Math.round(performance.now() - begunAt) })
      await pause(askedDelay(error) ?? Math.min(maxDelayMs, delayMs * 2 ** (tried - 1)), undefined, {
        signal,
      })
    }
  }
}

export interface ModelTries {
  readonly retry: RetryPolicy | undefined
  readonly signal: AbortSignal
  /** False once something of the answer was given to the caller: it would come twice. */
  readonly mayRepeat: () => boolean
}

/** As the AI SDK's own errors say of themselves. */
const isRetryable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'isRetryable' in error && error.isRetryable === true

function askedDelay(error: unknown): number | undefined {
  const headers =
    typeof error === 'object' && error !== null && 'responseHeaders' in error ? error.responseHeaders : {}
  const said = (name: string): unknown => Reflect.get(headers ?? {}, name)
  const ms = Number(said('retry-after-ms') ?? Number(said('retry-after')) * 1_000)
  return Number.isFinite(ms) && ms >= 0 && ms <= LONGEST_ASKED_MS ? ms : undefined
}
