import type { Row } from '../support/bench.ts'
import { figure, ms } from '../support/table.ts'
import { dbosRow, openDbosPair } from './dbos-pair.ts'
import { IN_FLIGHT } from './on-sqlite.ts'

const ROUNDS = 5
const STEPS = 100

/** The same on PostgreSQL with each commit flushed, beside DBOS on the same server, in turns. */
export async function againstDbos(folder: string): Promise<Row[]> {
  await using pair = await openDbosPair(folder, ROUNDS)
  const latency = await pair.compare({ type: 'latency', of: 'one', runs: 100 })
  const rate = await pair.compare({ type: 'rate', inFlight: IN_FLIGHT, forMs: 3_000 })
  const step = await pair.compare({ type: 'step', steps: STEPS })
  const perSecond = (value: number) => `${figure(value)} /s`
  return [
    dbosRow('inline, start → outcome, p50, PostgreSQL', ms, latency),
    dbosRow(`inline, processes per second, ${IN_FLIGHT} in flight, PostgreSQL`, perSecond, rate, '≥'),
    dbosRow(`inline, one step (${STEPS} in a row), PostgreSQL`, ms, step, '≤'),
  ]
}
