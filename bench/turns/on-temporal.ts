import type { WorkflowHandle } from '@temporalio/client'
import { openBareSide } from '../support/bare-side.ts'
import type { Bench, Row } from '../support/bench.ts'
import { type LeaseholdSide, openLeaseholdSide } from '../support/leasehold-side.ts'
import { interleave, median, percentile, repeat, timed } from '../support/statistics.ts'
import { ms, times } from '../support/table.ts'
import { AI_SDK, openAiSdkSide } from './ai-sdk-side.ts'

const WARM_UPS = 15
const ROUNDS = 5
const TURNS_PER_ROUND = 14
const CALLS = 3
const MOST = 0.5
const MOST_EVENTS = 11
const TURN = 'turn of 2 model calls and 1 tool call'

/** How one system runs a turn, and how long it took, round by round. */
interface Turns {
  readonly name: string
  /** Resolves when its caller has what the turn says. */
  run(): Promise<WorkflowHandle>
  readonly rounds: number[][]
}

/**
 * A turn of an agent whose model and tool answer at once. Beside it the same turn as Temporal's own AI SDK integration
 * runs it; and the least that an agent's loop in a workflow costs: an activity for each of the three calls, and no agent.
 */
export const turns: Bench = async surroundings => {
  await using leasehold = await openLeaseholdSide(surroundings)
  await using bareSide = await openBareSide(surroundings)
  await using aiSdk = await openAiSdkSide(surroundings)
  await Promise.all([leasehold.startWorker(), bareSide.startWorker()])
  const ours = turnsOf('Leasehold', () => runOurs(leasehold))
  const bare = turnsOf(`bare workflow of ${CALLS} activities`, () =>
    ended(bareSide.start('activities', CALLS)),
  )
  const theirs = aiSdk && turnsOf(AI_SDK, () => ended(aiSdk.startTurn(), 'seen'))
  await measure(theirs === undefined ? [ours, bare] : [ours, theirs, bare])
  return [...(await against(ours, theirs)), await besideBare(ours, bare)]
}

const turnsOf = (name: string, run: Turns['run']): Turns => ({ name, run, rounds: [] })

async function measure(sides: readonly Turns[]): Promise<void> {
  await repeat(WARM_UPS, async () => {
    for (const { run } of sides) await run()
  })
  await repeat(ROUNDS, async () => {
    for (const { rounds } of sides) rounds.push([])
    const measures = sides.map(
      ({ run, rounds }) =>
        async () =>
          void rounds.at(-1)?.push(await timed(run)),
    )
    await interleave(TURNS_PER_ROUND, ...measures)
  })
}

async function against(ours: Turns, theirs: Turns | undefined): Promise<Row[]> {
  const events = await eventsOf(ours)
  if (theirs === undefined) {
    const reference = `none: ${AI_SDK} could not be installed`
    return [
      { what: `${TURN}, p50`, ours: describe(ours), reference },
      { what: 'history events: the same turn', ours: String(events), reference },
    ]
  }
  const ratio = ratioOf(ours, theirs)
  return [
    {
      what: `${TURN}, p50`,
      ours: describe(ours),
      reference: `${theirs.name}: ${describe(theirs)}`,
      ratio: times(ratio),
      bound: { text: `≤ ${times(MOST)}`, isMet: ratio <= MOST },
    },
    {
      what: 'history events: the same turn',
      ours: String(events),
      reference: `${theirs.name}: ${await eventsOf(theirs)}`,
      bound: { text: `≤ ${MOST_EVENTS}`, isMet: events <= MOST_EVENTS },
    },
  ]
}

const besideBare = async (ours: Turns, bare: Turns): Promise<Row> => ({
  what: 'the same turn, beside the least of a loop in a workflow',
  ours: describe(ours),
  reference: `${bare.name}: ${describe(bare)}, ${await eventsOf(bare)} events`,
  ratio: times(ratioOf(ours, bare)),
})

/** Of each round by itself, so that a slow one weighs no more than the others. */
const ratioOf = (ours: Turns, theirs: Turns): number =>
  median(ours.rounds.map((values, round) => median(values) / median(theirs.rounds[round] ?? [])))

const describe = ({ rounds }: Turns): string =>
  `${ms(median(rounds.flat()))} (p95 ${ms(percentile(rounds.flat(), 0.95))})`

/** Of one more turn, when its workflow has ended: our caller has the outcome before that. */
async function eventsOf({ run }: Turns): Promise<number> {
  const workflow = await run()
  await workflow.result()
  return (await workflow.fetchHistory()).events?.length ?? 0
}

async function runOurs({ processes, temporal }: LeaseholdSide): Promise<WorkflowHandle> {
  const started = await processes.start({ kind: 'turn' })
  const outcome = await started.outcome()
  if (outcome.status !== 'completed' || outcome.value !== 'seen') {
    throw new Error(`A turn ended as ${JSON.stringify(outcome)}.`)
  }
  return temporal.workflow.getHandle(started.id)
}

async function ended(starting: Promise<WorkflowHandle>, said?: string): Promise<WorkflowHandle> {
  const workflow = await starting
  const result: unknown = await workflow.result()
  if (said !== undefined && result !== said) throw new Error(`A turn said ${JSON.stringify(result)}.`)
  return workflow
}
