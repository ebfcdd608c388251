import type { ChangeCursor } from '../../src/model/ids.ts'
import type { RegistrySource } from '../../src/registry/source.ts'
import type { Row } from '../support/bench.ts'
import { median, repeat, timed } from '../support/statistics.ts'
import { figure } from '../support/table.ts'
import type { BenchStores, RegistryMeasure } from './bench-stores.ts'
import { type Filler, fillPostgres, fillSqlite } from './fill.ts'

const ROWS = 100_000
const ROUNDS = 5
const PAGE = 1_000
const LEAST_RATE = 50_000
const BEGINNING = '' as ChangeCursor

/** From the beginning to the end of the feed, page by page. */
export const feed: RegistryMeasure = async stores => [
  await catchUp('PostgreSQL', stores, stores.postgres('feed'), fillPostgres),
  await catchUp('SQLite', stores, stores.sqlite('feed'), fillSqlite),
]

async function catchUp(
  name: string,
  stores: BenchStores,
  source: RegistrySource,
  fill: Filler,
): Promise<Row> {
  await fill(stores, 'feed', ROWS)
  const registry = await source.open()
  try {
    const rates: number[] = []
    await repeat(ROUNDS, async () => {
      let seen = 0
      const elapsed = await timed(async () => {
        let cursor = BEGINNING
        while (true) {
          const { changes, next } = await registry.changesSince(cursor, PAGE)
          if (changes.length === 0) break
          seen += changes.length
          cursor = next
        }
      })
      if (seen < ROWS) throw new Error(`The feed gave ${seen} of ${ROWS} rows.`)
      rates.push((1_000 * seen) / elapsed)
    })
    const rate = median(rates)
    return {
      what: `change feed, ${name}: catching up with ${ROWS} rows`,
      ours: `${figure(rate)} rows/s`,
      reference: '',
      bound: { text: `≥ ${LEAST_RATE} rows/s`, isMet: rate >= LEAST_RATE },
    }
  } finally {
    await registry.close()
  }
}
