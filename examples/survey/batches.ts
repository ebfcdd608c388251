/** How many files are read at a time. */
const MOST_IN_FLIGHT = 16
/** A small folder is taken in smaller batches, so that its survey has a middle as well. */
const FEWEST_BATCHES = 20

/** Cuts the list into what is worked on together, the same way at each attempt. */
export function batchesOf<T>(items: readonly T[]): T[][] {
  const size = Math.max(1, Math.min(MOST_IN_FLIGHT, Math.ceil(items.length / FEWEST_BATCHES)))
  const batches: T[][] = []
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size))
  return batches
}
