import { dbosRow, openDbosPair } from '../inline/dbos-pair.ts'
import type { Bench } from '../support/bench.ts'
import { ms } from '../support/table.ts'

const ROUNDS = 7
const RUNS = 60

/**
 * The same turn without a Temporal server, on PostgreSQL, beside DBOS; and its three calls as steps with no agent around
 * them, so that what the durable machinery costs shows by itself.
 */
export const inlineTurns: Bench = async ({ folder }) => {
  await using pair = await openDbosPair(folder, ROUNDS)
  const turn = await pair.compare({ type: 'latency', of: 'turn', runs: RUNS })
  const three = await pair.compare({ type: 'latency', of: 'three', runs: RUNS })
  return [
    dbosRow('inline, turn of 2 model calls and 1 tool call, p50, PostgreSQL', ms, turn, '≤'),
    dbosRow('inline, three steps in its place, p50, PostgreSQL', ms, three, '≤'),
  ]
}
