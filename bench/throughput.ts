import { openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { interleave, median, timed } from './support/statistics.ts'
import { figure, times } from './support/table.ts'

const IN_FLIGHT = 50
const ROUNDS = 6
const RUNS_PER_ROUND = 250
const LEAST = 0.9

/** Processes per second with so many in flight. On a small machine the server's CPU is the limit for both. */
export const throughput: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  await Promise.all([ours.startWorker(), bare.startWorker()])
  const runOurs = async () => (await ours.processes.start({ kind: 'noop', input: 1 })).outcome()
  const runBare = async () => (await bare.start('oneActivity', 1)).result()
  await ratePerSecond(IN_FLIGHT, runOurs)
  await ratePerSecond(IN_FLIGHT, runBare)

  const rates = { ours: [] as number[], bare: [] as number[] }
  await interleave(
    ROUNDS,
    async () => void rates.ours.push(await ratePerSecond(RUNS_PER_ROUND, runOurs)),
    async () => void rates.bare.push(await ratePerSecond(RUNS_PER_ROUND, runBare)),
  )

  const ratio = median(rates.ours.map((rate, round) => rate / (rates.bare[round] ?? Number.NaN)))
  return [
    {
      what: `processes per second, ${IN_FLIGHT} in flight`,
      ours: `${figure(median(rates.ours))} /s`,
      reference: `bare one-activity workflow: ${figure(median(rates.bare))} /s`,
      ratio: times(ratio),
      bound: { text: `≥ ${times(LEAST)}`, isMet: ratio >= LEAST },
    },
  ]
}

async function ratePerSecond(runs: number, run: () => Promise<unknown>): Promise<number> {
  let left = runs
  const caller = async () => {
    while (left-- > 0) await run()
  }
  const elapsed = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, caller)))
  return (1_000 * runs) / elapsed
}
