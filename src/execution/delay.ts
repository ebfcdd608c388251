import { timerMs } from '../model/timer.ts'

/** Waits until a time of the clock that `now` reads, however far; rejects with the signal's reason when it fires. */
export async function delayUntil(untilMs: number, now: () => number, signal: AbortSignal): Promise<void> {
  for (let leftMs = untilMs - now(); leftMs > 0; leftMs = untilMs - now()) {
    await delay(timerMs(leftMs), signal)
  }
}

export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
