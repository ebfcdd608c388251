/** A door that code under test waits at: the test sees who has come, and opens it. */
export interface Gate {
  /** Resolves when the door is open; counts the caller. Rejects with the signal's reason when that fires first. */
  pass(signal?: AbortSignal): Promise<void>
  open(): void
  readonly arrivals: number
}

export function createGate(): Gate {
  const opened = Promise.withResolvers<void>()
  let arrivals = 0
  return {
    pass: async signal => {
      arrivals++
      if (signal === undefined) return opened.promise
      const aborted = Promise.withResolvers<never>()
      const onAbort = () => aborted.reject(signal.reason)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        await Promise.race([opened.promise, aborted.promise])
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
    open: () => opened.resolve(),
    get arrivals() {
      return arrivals
    },
  }
}
