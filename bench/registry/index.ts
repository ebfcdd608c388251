import type { Bench, Row } from '../support/bench.ts'
import { append } from './append.ts'
import { openBenchStores } from './bench-stores.ts'
import { feed } from './feed.ts'
import { lifecycle } from './lifecycle.ts'
import { scale } from './scale.ts'
import { writers } from './writers.ts'

/** The registry alone, on both databases, without Temporal. */
export const registry: Bench = async surroundings => {
  await using stores = await openBenchStores(surroundings.folder)
  const rows: Row[] = []
  for (const measure of [lifecycle, append, feed, writers, scale]) rows.push(...(await measure(stores)))
  return rows
}
