import { openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import { ratePerSecond } from './support/callers.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { interleave, median } from './support/statistics.ts'
import { figure, times } from './support/table.ts'

const IN_FLIGHT = 50
const ROUNDS = 6
const ROUND_MS = 5_000
/** A worker lives for days: its first hundred processes, run by code that is not compiled yet, are none of its pace. */
const WARM_UP_MS = 5_000
const LEAST = 0.9

/** Processes per second with so many in flight. On a small machine the server's CPU is the limit for both. */
export const throughput: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  await Promise.all([ours.startWorker(), bare.startWorker()])
  const runOurs = async () => (await ours.processes.start({ kind: 'noop', input: 1 })).outcome()
  const runBare = async () => (await bare.start('oneActivity', 1)).result()
  await ratePerSecond(WARM_UP_MS, IN_FLIGHT, runOurs)
  await ratePerSecond(WARM_UP_MS, IN_FLIGHT, runBare)

  const rates = { ours: [] as number[], bare: [] as number[] }
  await interleave(
    ROUNDS,
    async () => void rates.ours.push(await ratePerSecond(ROUND_MS, IN_FLIGHT, runOurs)),
    async () => void rates.bare.push(await ratePerSecond(ROUND_MS, IN_FLIGHT, runBare)),
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
