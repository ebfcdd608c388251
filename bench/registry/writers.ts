import { postgresRegistry } from '../../src/index.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { ratePerSecond } from '../support/callers.ts'
import { interleave, median } from '../support/statistics.ts'
import { figure, times } from '../support/table.ts'
import type { RegistryMeasure } from './bench-stores.ts'
import { prepareRegistry, registration } from './processes.ts'

const WRITERS = 48
const ROUNDS = 5
const ROUND_MS = 3_000
const LEAST = 0.9

/** What it costs the writers that others hear of them: notices sent and heard, and a follower of the feed. */
export const writers: RegistryMeasure = async ({ postgresUrl }) => {
  const open = (notices: boolean) =>
    postgresRegistry({
      connectionString: postgresUrl,
      schema: 'writers',
      pool: { max: WRITERS },
      notices,
    }).open()
  const told = await open(true)
  const quiet = await open(false)
  // Another OS process's place: it hears over a connection of its own and reads the feed.
  const follower = watchRegistry(await open(true))
  try {
    await prepareRegistry(told)
    const ids: string[] = []
    for (let index = 0; index < WRITERS; index++) {
      ids.push((await told.register(registration())).record.id)
    }
    const rates = { told: [] as number[], quiet: [] as number[] }
    const rateOf = (registry: typeof told) => {
      let next = 0
      return ratePerSecond(ROUND_MS, WRITERS, () =>
        registry.append(ids[next++ % WRITERS] ?? '', { eventType: 'note', payload: null }),
      )
    }
    await rateOf(quiet)
    await interleave(
      ROUNDS,
      async () => {
        const stop = follower.hub.subscribeAny(() => {})
        rates.told.push(await rateOf(told))
        stop()
      },
      async () => void rates.quiet.push(await rateOf(quiet)),
    )
    const ratio = median(rates.told.map((rate, round) => rate / (rates.quiet[round] ?? Number.NaN)))
    return [
      {
        what: `${WRITERS} writers, PostgreSQL, with feed and notices`,
        ours: `${figure(median(rates.told))} appends/s`,
        reference: `without: ${figure(median(rates.quiet))} appends/s`,
        ratio: times(ratio),
        bound: { text: `≥ ${times(LEAST)}`, isMet: ratio >= LEAST },
      },
    ]
  } finally {
    for (const registry of [follower, told, quiet]) await registry.close()
  }
}
