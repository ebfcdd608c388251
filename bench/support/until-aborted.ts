/** Longer than any bench waits: what still sleeps then was forgotten. */
const FOR_EVER_MS = 3_600_000

/** Work that ends only by being told to. */
export function untilAborted(signal: AbortSignal, onAbort: () => void = () => {}): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error('nobody stopped this')), FOR_EVER_MS)
    signal.addEventListener('abort', () => {
      onAbort()
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}
