import { timed } from './statistics.ts'

/**
 * How often per second so many callers get through the work. For a time and not for a number of runs, so that a busy
 * machine makes the figure worse and not the bench longer.
 */
export async function ratePerSecond(
  roundMs: number,
  callers: number,
  run: () => Promise<unknown>,
): Promise<number> {
  let runs = 0
  const begun = performance.now()
  const caller = async () => {
    while (performance.now() - begun < roundMs) {
      await run()
      runs++
    }
  }
  const elapsed = await timed(() => Promise.all(Array.from({ length: callers }, caller)))
  return (1_000 * runs) / elapsed
}
