import type { Outcome } from '../src/index.ts'
import { type BareSide, openBareSide } from './support/bare-side.ts'
import type { Bench, Row } from './support/bench.ts'
import type { WorkerProcess } from './support/children.ts'
import { type LeaseholdSide, openLeaseholdSide } from './support/leasehold-side.ts'
import { PARK_GRACE_MS } from './support/settings.ts'

const STEPS = 1_000
/** A tenth: a reference of the same length would run into the seconds and say the same. */
const ACTIVITIES = 100

/** How many events a process leaves in Temporal's history. */
export const history: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  const [worker] = await Promise.all([ours.startWorker(), bare.startWorker()])
  const one = await eventsOfRun(ours, { kind: 'noop', input: 1 })
  const thousand = await eventsOfRun(ours, { kind: 'steps', input: STEPS })
  const parked = await eventsOfRun(ours, { kind: 'park', input: 5 * PARK_GRACE_MS })
  const killed = await eventsOfCrash(ours, worker)

  const oneActivity = `one activity: ${await bareEvents(bare, 1)}`
  return [
    row('1 step', one, oneActivity, 11),
    row('1,000 steps', thousand, `${ACTIVITIES} activities: ${await bareEvents(bare, ACTIVITIES)}`, 11),
    row('one park', parked, oneActivity, 21),
    row('one SIGKILL', killed, oneActivity, 13),
  ]
}

const row = (what: string, events: number, reference: string, most: number): Row => ({
  what: `history events: ${what}`,
  ours: String(events),
  reference,
  bound: { text: `≤ ${most}`, isMet: events <= most },
})

type Start = Parameters<LeaseholdSide['processes']['start']>[0]

async function eventsOfRun({ processes, temporal }: LeaseholdSide, start: Start): Promise<number> {
  const started = await processes.start(start)
  requireCompleted(await started.outcome())
  return closedLength(temporal.workflow.getHandle(started.id))
}

async function eventsOfCrash(side: LeaseholdSide, worker: WorkerProcess): Promise<number> {
  const started = await side.processes.start({ kind: 'crash', input: 1 })
  await worker.next('running', started.id)
  await side.startWorker()
  await worker.kill()
  requireCompleted(await started.outcome())
  return closedLength(side.temporal.workflow.getHandle(started.id))
}

async function bareEvents(bare: BareSide, count: number): Promise<number> {
  const handle = count === 1 ? await bare.start('oneActivity', 1) : await bare.start('activities', count)
  return closedLength(handle)
}

interface ClosingWorkflow {
  result(): Promise<unknown>
  describe(): Promise<{ readonly historyLength: number }>
}

/** The outcome comes before the workflow's own end, so that is awaited: its last events count too. */
async function closedLength(workflow: ClosingWorkflow): Promise<number> {
  await workflow.result()
  return (await workflow.describe()).historyLength
}

function requireCompleted({ status }: Outcome): void {
  if (status !== 'completed') throw new Error(`A process that should have completed ended as ${status}.`)
}
