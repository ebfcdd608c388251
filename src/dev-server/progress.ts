const EVERY_MS = 5_000

/** Runs `work` and says what is going on, with the time it has taken: at once, then every five seconds. */
export async function withProgress<T>(
  onProgress: ((line: string) => void) | undefined,
  describe: (elapsed: string) => string,
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now()
  const report = () => onProgress?.(describe(`${Math.round((performance.now() - started) / 1000)} s`))
  report()
  const timer = setInterval(report, EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
