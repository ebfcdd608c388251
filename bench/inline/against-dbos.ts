import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '../../test/support/start-postgres.ts'
import type { Row } from '../support/bench.ts'
import { interleave, median } from '../support/statistics.ts'
import { figure, ms, times } from '../support/table.ts'
import { DBOS, installDbos } from './dbos-package.ts'
import { IN_FLIGHT } from './on-sqlite.ts'
import { type Measure, type Side, startSide } from './side.ts'

const ROUNDS = 5
const STEPS = 100
const RATE: Measure = { type: 'rate', inFlight: IN_FLIGHT, forMs: 3_000 }
const STEP: Measure = { type: 'step', steps: STEPS }
const LATENCY: Measure = { type: 'latency', runs: 100 }

/** The same on PostgreSQL with each commit flushed, beside DBOS on the same server, in turns. */
export async function againstDbos(folder: string): Promise<Row[]> {
  const server = await startPostgres({ isDurable: true })
  try {
    const packageFolder = join(folder, 'dbos')
    await mkdir(packageFolder)
    const dbos = await installDbos(packageFolder)
    await using ours = await startSide('leasehold-main.ts', [`${server.url}?schema=inline`])
    if (dbos === undefined) return alone(ours)
    const database = new URL(server.url)
    database.pathname = '/dbos'
    await using theirs = await startSide('dbos-main.ts', [dbos, database.href])
    return await beside(ours, theirs)
  } finally {
    await server.stop()
  }
}

async function beside(ours: Side, theirs: Side): Promise<Row[]> {
  const compare = async (measure: Measure) => {
    const values = { ours: [] as number[], theirs: [] as number[] }
    await interleave(
      ROUNDS,
      async () => void values.ours.push(await ours.measure(measure)),
      async () => void values.theirs.push(await theirs.measure(measure)),
    )
    const ratio = median(values.ours.map((value, round) => value / (values.theirs[round] ?? Number.NaN)))
    return { ours: median(values.ours), theirs: median(values.theirs), ratio }
  }
  const [latency, rate, step] = [await compare(LATENCY), await compare(RATE), await compare(STEP)]
  return [
    {
      what: 'inline, start → outcome, p50, PostgreSQL',
      ours: ms(latency.ours),
      reference: `DBOS: ${ms(latency.theirs)}`,
      ratio: times(latency.ratio),
    },
    {
      what: `inline, processes per second, ${IN_FLIGHT} in flight, PostgreSQL`,
      ours: `${figure(rate.ours)} /s`,
      reference: `DBOS: ${figure(rate.theirs)} /s`,
      ratio: times(rate.ratio),
      bound: { text: `≥ ${times(1)}`, isMet: rate.ratio >= 1 },
    },
    {
      what: `inline, one step (${STEPS} in a row), PostgreSQL`,
      ours: ms(step.ours),
      reference: `DBOS: ${ms(step.theirs)}`,
      ratio: times(step.ratio),
      bound: { text: `≤ ${times(1)}`, isMet: step.ratio <= 1 },
    },
  ]
}

async function alone(ours: Side): Promise<Row[]> {
  const reference = `none: ${DBOS} could not be installed`
  return [
    { what: 'inline, start → outcome, p50, PostgreSQL', ours: ms(await ours.measure(LATENCY)), reference },
    {
      what: `inline, processes per second, ${IN_FLIGHT} in flight, PostgreSQL`,
      ours: `${figure(await ours.measure(RATE))} /s`,
      reference,
    },
    {
      what: `inline, one step (${STEPS} in a row), PostgreSQL`,
      ours: ms(await ours.measure(STEP)),
      reference,
    },
  ]
}
