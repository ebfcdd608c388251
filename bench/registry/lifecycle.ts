import { PgBoss } from 'pg-boss'
import type { RegistrySource } from '../../src/registry/source.ts'
import { ratePerSecond } from '../support/callers.ts'
import { interleave, median } from '../support/statistics.ts'
import { figure, times } from '../support/table.ts'
import type { RegistryMeasure } from './bench-stores.ts'
import { prepareRegistry, runThrough } from './processes.ts'

const CALLERS = 16
const ROUNDS = 5
const ROUND_MS = 3_000
const WARM_UP_MS = 2_000
const LEAST_RATIO = 1
const LEAST_SQLITE = 2_000

/** A process's three writes, against what a job queue on the same server takes for the three of a job. */
export const lifecycle: RegistryMeasure = async stores => {
  const [postgres, boss] = await againstPgBoss(stores.postgres('lifecycle'), stores.postgresUrl)
  const sqlite = await onSqlite(stores.sqlite('lifecycle'))
  const ratio = median(postgres.map((rate, round) => rate / (boss[round] ?? Number.NaN)))
  return [
    {
      what: `register + begin + complete, PostgreSQL, ${CALLERS} callers`,
      ours: `${figure(median(postgres))} /s`,
      reference: `pg-boss send + fetch + complete: ${figure(median(boss))} /s`,
      ratio: times(ratio),
      bound: { text: `≥ ${times(LEAST_RATIO)}`, isMet: ratio >= LEAST_RATIO },
    },
    {
      what: `register + begin + complete, SQLite, full sync, ${CALLERS} in flight`,
      ours: `${figure(median(sqlite))} /s`,
      reference: '',
      bound: { text: `≥ ${LEAST_SQLITE} /s`, isMet: median(sqlite) >= LEAST_SQLITE },
    },
  ]
}

async function againstPgBoss(source: RegistrySource, url: string): Promise<[number[], number[]]> {
  const registry = await source.open()
  const boss = new PgBoss({ connectionString: url, max: CALLERS, supervise: false, schedule: false })
  try {
    await prepareRegistry(registry)
    await boss.start()
    await boss.createQueue('bench')
    const ours = () => ratePerSecond(ROUND_MS, CALLERS, () => runThrough(registry))
    const theirs = () => ratePerSecond(ROUND_MS, CALLERS, () => runJob(boss))
    await ratePerSecond(WARM_UP_MS, CALLERS, () => runThrough(registry))
    await ratePerSecond(WARM_UP_MS, CALLERS, () => runJob(boss))
    const rates: [number[], number[]] = [[], []]
    await interleave(
      ROUNDS,
      async () => void rates[0].push(await ours()),
      async () => void rates[1].push(await theirs()),
    )
    return rates
  } finally {
    await boss.stop({ graceful: false, close: true })
    await registry.close()
  }
}

async function runJob(boss: PgBoss): Promise<void> {
  await boss.send('bench', { input: null })
  const [job] = await boss.fetch('bench')
  // Another caller may have fetched it, and this one another's: there are as many as there are callers.
  if (job !== undefined) await boss.complete('bench', job.id)
}

async function onSqlite(source: RegistrySource): Promise<number[]> {
  const registry = await source.open()
  try {
    await prepareRegistry(registry)
    await ratePerSecond(WARM_UP_MS, CALLERS, () => runThrough(registry))
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rates.push(await ratePerSecond(ROUND_MS, CALLERS, () => runThrough(registry)))
    }
    return rates
  } finally {
    await registry.close()
  }
}
