/** The smallest value that at least this share of all do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('No values: nothing was measured.')
  return value
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export const worst = (values: readonly number[]): number => percentile(values, 1)

export async function repeat(times: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < times; index++) await work(index)
}

/**
 * Takes measures in turn, A B B A A B …, so that a slow drift of the machine and whatever the one leaves to the next
 * meet all alike.
 */
export async function interleave(
  times: number,
  ...measures: readonly (() => Promise<void>)[]
): Promise<void> {
  await repeat(times, async index => {
    for (const measure of index % 2 === 0 ? measures : measures.toReversed()) await measure()
  })
}

/** How long the work takes, in milliseconds of the monotonic clock. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
