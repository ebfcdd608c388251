import { join } from 'node:path'
import { openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import { commitCost } from './support/commit-cost.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { interleave, median } from './support/statistics.ts'
import { ms, times } from './support/table.ts'

const STEPS = 1_000
/** Fewer, because each takes tens of times as long. */
const ACTIVITIES = 100
const ROUNDS = 7
const MOST_MS = 0.25
const LEAST_RATIO = 20

/** One repeatable step, against a Temporal activity, and against what the disk itself asks for a durable commit. */
export const steps: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  await Promise.all([ours.startWorker(), bare.startWorker()])
  const stepMs = async () => {
    const started = await ours.processes.start({ kind: 'steps', input: STEPS })
    const outcome = await started.outcome()
    if (outcome.status !== 'completed') throw new Error(`The steps ended as ${outcome.status}.`)
    return Number(outcome.value)
  }
  const activityMs = async () => Number(await (await bare.start('activities', ACTIVITIES)).result())
  await stepMs()
  await activityMs()

  const costs = { step: [] as number[], activity: [] as number[], commit: [] as number[] }
  await interleave(
    ROUNDS,
    async () => {
      costs.step.push(await stepMs())
      costs.commit.push(commitCost(join(surroundings.folder, 'commit.db'), STEPS))
    },
    async () => void costs.activity.push(await activityMs()),
  )

  const ratio = median(costs.activity.map((activity, round) => activity / (costs.step[round] ?? Number.NaN)))
  const step = median(costs.step)
  return [
    {
      what: `one repeatable step (${STEPS} in a row), SQLite, full sync`,
      ours: `${ms(step)} (${ms(Math.min(...costs.step))} to ${ms(Math.max(...costs.step))})`,
      reference: `node:sqlite alone, one row and commit: ${ms(median(costs.commit))}`,
      ratio: times(step / median(costs.commit)),
      bound: { text: `≤ ${ms(MOST_MS)}`, isMet: step <= MOST_MS },
    },
    {
      what: 'the same, how many times cheaper than an activity',
      ours: ms(step),
      reference: `Temporal activity (${ACTIVITIES} in a row): ${ms(median(costs.activity))}`,
      ratio: times(ratio),
      bound: { text: `≥ ${LEAST_RATIO} ×`, isMet: ratio >= LEAST_RATIO },
    },
  ]
}
