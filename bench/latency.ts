import { openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { interleave, median, percentile, repeat, timed } from './support/statistics.ts'
import { ms, times } from './support/table.ts'

const WARM_UPS = 30
const ROUNDS = 7
const PAIRS_PER_ROUND = 30
const MOST = 1.1

/** start → outcome, one process at a time, against a workflow that does the same in one activity. */
export const latency: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  await Promise.all([ours.startWorker(), bare.startWorker()])
  const runOurs = async () => (await ours.processes.start({ kind: 'noop', input: 1 })).outcome()
  const runBare = async () => (await bare.start('oneActivity', 1)).result()
  await repeat(WARM_UPS, async () => {
    await runOurs()
    await runBare()
  })

  const all = { ours: [] as number[], bare: [] as number[] }
  const ratios: number[] = []
  await repeat(ROUNDS, async () => {
    const round = { ours: [] as number[], bare: [] as number[] }
    await interleave(
      PAIRS_PER_ROUND,
      async () => void round.ours.push(await timed(runOurs)),
      async () => void round.bare.push(await timed(runBare)),
    )
    ratios.push(median(round.ours) / median(round.bare))
    all.ours.push(...round.ours)
    all.bare.push(...round.bare)
  })

  const describe = (values: number[]) => `${ms(median(values))} (p95 ${ms(percentile(values, 0.95))})`
  const ratio = median(ratios)
  return [
    {
      what: 'start → outcome, p50, one at a time',
      ours: describe(all.ours),
      reference: `bare one-activity workflow: ${describe(all.bare)}`,
      ratio: times(ratio),
      bound: { text: `≤ ${times(MOST)}`, isMet: ratio <= MOST },
    },
  ]
}
