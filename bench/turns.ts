import { openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { interleave, median, percentile, repeat, timed } from './support/statistics.ts'
import { ms, times } from './support/table.ts'

const WARM_UPS = 15
const PAIRS = 60
const CALLS = 3
const MOST_EVENTS = 11

/**
 * A turn of an agent: two model calls and one tool call, of a model that answers at once. The reference is the least that
 * an agent's loop in a workflow costs: a bare workflow with an activity for each of the three calls, and no agent in it.
 */
export const turns: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  await Promise.all([ours.startWorker(), bare.startWorker()])
  const runOurs = async () => {
    const started = await ours.processes.start({ kind: 'turn', input: 1 })
    const outcome = await started.outcome()
    if (outcome.status !== 'completed') throw new Error(`A turn ended as ${outcome.status}.`)
    return ours.temporal.workflow.getHandle(started.id)
  }
  const runBare = async () => {
    const handle = await bare.start('activities', CALLS)
    await handle.result()
    return handle
  }
  await repeat(WARM_UPS, async () => {
    await runOurs()
    await runBare()
  })
  const all = { ours: [] as number[], bare: [] as number[] }
  await interleave(
    PAIRS,
    async () => void all.ours.push(await timed(runOurs)),
    async () => void all.bare.push(await timed(runBare)),
  )
  const turn = await runOurs()
  await turn.result()
  const events = (await turn.describe()).historyLength
  const bareEvents = (await (await runBare()).describe()).historyLength
  const describe = (values: number[]) => `${ms(median(values))} (p95 ${ms(percentile(values, 0.95))})`
  return [
    {
      what: 'turn of 2 model calls and 1 tool call, p50',
      ours: describe(all.ours),
      reference: `bare workflow of ${CALLS} activities: ${describe(all.bare)}`,
      ratio: times(median(all.ours) / median(all.bare)),
    },
    {
      what: 'history events: the same turn',
      ours: String(events),
      reference: `bare workflow of ${CALLS} activities: ${bareEvents}`,
      bound: { text: `≤ ${MOST_EVENTS}`, isMet: events <= MOST_EVENTS },
    },
  ]
}
