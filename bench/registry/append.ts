import type { RegistrySource } from '../../src/registry/source.ts'
import type { Row } from '../support/bench.ts'
import { commitCost } from '../support/commit-cost.ts'
import { median, repeat, timed } from '../support/statistics.ts'
import { ms } from '../support/table.ts'
import type { RegistryMeasure } from './bench-stores.ts'
import { prepareRegistry, registration } from './processes.ts'

const APPENDS = 1_000
const MOST_MS = { postgres: 1.5, sqlite: 0.2 }

/** One event after the other onto one process. */
export const append: RegistryMeasure = async stores => {
  const postgres = await appendCost(stores.postgres('append'))
  const sqlite = await appendCost(stores.sqlite('append'))
  const floor = commitCost(stores.sqlitePath('commit'), APPENDS)
  return [
    row('PostgreSQL', postgres, MOST_MS.postgres, ''),
    row('SQLite', sqlite, MOST_MS.sqlite, `node:sqlite alone, one row and commit: ${ms(floor)}`),
  ]
}

const row = (store: string, cost: number, most: number, reference: string): Row => ({
  what: `append an event, ${store}, p50`,
  ours: ms(cost),
  reference,
  bound: { text: `≤ ${ms(most)}`, isMet: cost <= most },
})

async function appendCost(source: RegistrySource): Promise<number> {
  const registry = await source.open()
  try {
    await prepareRegistry(registry)
    const { record } = await registry.register(registration())
    const appendOne = () => registry.append(record.id, { eventType: 'note', payload: { text: 'a note' } })
    await repeat(APPENDS / 5, async () => void (await appendOne()))
    const costs: number[] = []
    await repeat(APPENDS, async () => void costs.push(await timed(appendOne)))
    return median(costs)
  } finally {
    await registry.close()
  }
}
