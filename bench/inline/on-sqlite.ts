import { join } from 'node:path'
import type { Row } from '../support/bench.ts'
import { commitCost } from '../support/commit-cost.ts'
import { median, repeat } from '../support/statistics.ts'
import { figure, ms, times } from '../support/table.ts'
import { startSide } from './side.ts'

const ROUNDS = 5
const RUNS = 200
const COMMITS = 500
const ROUND_MS = 3_000
export const IN_FLIGHT = 50
const MOST_MS = 1.5
const LEAST_RATE = 1_500

/** Client and worker in one OS process, on a file with full sync; beside it what the disk asks for one durable commit. */
export async function onSqlite(folder: string): Promise<Row[]> {
  await using side = await startSide('leasehold-main.ts', [`sqlite:${join(folder, 'inline.db')}`])
  const found = { latency: [] as number[], rate: [] as number[], commit: [] as number[] }
  await repeat(ROUNDS, async () => {
    found.latency.push(await side.measure({ type: 'latency', of: 'one', runs: RUNS }))
    found.commit.push(commitCost(join(folder, 'commit.db'), COMMITS))
    found.rate.push(await side.measure({ type: 'rate', inFlight: IN_FLIGHT, forMs: ROUND_MS }))
  })
  const [latency, rate, commit] = [median(found.latency), median(found.rate), median(found.commit)]
  return [
    {
      what: 'inline, start → outcome, p50, SQLite, full sync (three commits)',
      ours: `${ms(latency)} (${ms(Math.min(...found.latency))} to ${ms(Math.max(...found.latency))})`,
      reference: `node:sqlite alone, one row and commit: ${ms(commit)}`,
      ratio: times(latency / commit),
      bound: { text: `≤ ${ms(MOST_MS)}`, isMet: latency <= MOST_MS },
    },
    {
      what: `inline, processes per second, ${IN_FLIGHT} in flight, SQLite, full sync`,
      ours: `${figure(rate)} /s`,
      reference: `one commit each, one after the other: ${figure(1_000 / commit)} /s`,
      ratio: times((rate * commit) / 1_000),
      bound: { text: `≥ ${LEAST_RATE} /s`, isMet: rate >= LEAST_RATE },
    },
  ]
}
