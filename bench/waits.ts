import { setTimeout as sleep } from 'node:timers/promises'
import { type BareSide, openBareSide } from './support/bare-side.ts'
import type { Bench, Row } from './support/bench.ts'
import type { WorkerProcess } from './support/children.ts'
import { wallMs } from './support/clock.ts'
import { type LeaseholdSide, openLeaseholdSide } from './support/leasehold-side.ts'
import { PARK_GRACE_MS } from './support/settings.ts'
import { interleave, median, percentile, repeat } from './support/statistics.ts'
import { ms, times } from './support/table.ts'
import { untilParked } from './support/until-parked.ts'

const WARM_UPS = 3
const PAIRS = 40
const MOST_CHILD = 1.5
const MOST_SIGNAL = 1.3
const STEPS = 20_000
const MOST_REPLAY_MS = 500

/** What is waited for until whoever waited goes on, where that is parked; and what a long journal costs it. */
export const waits: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  const [ourWorker, bareWorker] = await Promise.all([ours.startWorker(), bare.startWorker()])
  const child = await pairs(
    () => childOfOurs(ours, ourWorker),
    () => childOfBare(bare, bareWorker),
  )
  const signal = await pairs(
    () => signalOurs(ours, ourWorker),
    () => signalBare(bare, bareWorker),
  )
  return [
    row('child ends → its parked parent runs, p50 (p95)', child, 'bare child workflow', MOST_CHILD),
    row('signal sent → the parked process runs, p50 (p95)', signal, 'bare signal and activity', MOST_SIGNAL),
    await replayRow(ours, ourWorker),
  ]
}

interface Figures {
  readonly ours: readonly number[]
  readonly bare: readonly number[]
}

async function pairs(ours: () => Promise<number>, bare: () => Promise<number>): Promise<Figures> {
  await repeat(WARM_UPS, async () => {
    await ours()
    await bare()
  })
  const figures = { ours: [] as number[], bare: [] as number[] }
  await interleave(
    PAIRS,
    async () => void figures.ours.push(await ours()),
    async () => void figures.bare.push(await bare()),
  )
  return figures
}

function row(what: string, { ours, bare }: Figures, reference: string, most: number): Row {
  const describe = (values: readonly number[]) => `${ms(median(values))} (${ms(percentile(values, 0.95))})`
  const ratio = median(ours) / median(bare)
  return {
    what,
    ours: describe(ours),
    reference: `${reference}: ${describe(bare)}`,
    ratio: times(ratio),
    bound: { text: `≤ ${times(most)}`, isMet: ratio <= most },
  }
}

async function childOfOurs({ processes }: LeaseholdSide, worker: WorkerProcess): Promise<number> {
  const parent = await processes.start({ kind: 'parent' })
  const child = processes.handle(`${parent.id}.child`)
  await untilParked(parent)
  await untilParked(child)
  await child.signal('go')
  const [ended, running] = [await worker.next('ending', child.id), await worker.next('running', parent.id)]
  await parent.outcome()
  return running.atMs - ended.atMs
}

async function childOfBare(bare: BareSide, worker: WorkerProcess): Promise<number> {
  const parent = await bare.start('parent')
  const childId = `${parent.workflowId}.child`
  await bare.untilStarted(childId)
  // As long as our side's park takes: both find a server that has come to rest.
  await sleep(2 * PARK_GRACE_MS)
  await bare.signal(childId, 'go')
  const ended = await worker.next('ending', childId)
  const running = await worker.next('running', parent.workflowId)
  await parent.result()
  return running.atMs - ended.atMs
}

async function signalOurs({ processes }: LeaseholdSide, worker: WorkerProcess): Promise<number> {
  const listener = await processes.start({ kind: 'listen' })
  await untilParked(listener)
  const sentAt = wallMs()
  const sent = listener.signal('go')
  const { atMs } = await worker.next('running', listener.id)
  await sent
  await listener.outcome()
  return atMs - sentAt
}

async function signalBare(bare: BareSide, worker: WorkerProcess): Promise<number> {
  const listener = await bare.start('listen')
  await sleep(2 * PARK_GRACE_MS)
  const sentAt = wallMs()
  const sent = bare.signal(listener.workflowId, 'go')
  const { atMs } = await worker.next('running', listener.workflowId)
  await sent
  await listener.result()
  return atMs - sentAt
}

/** The journal is read and the code comes to where it waits: all that a wake costs more for it. */
async function replayRow({ processes }: LeaseholdSide, worker: WorkerProcess): Promise<Row> {
  const process = await processes.start({ kind: 'replay', input: STEPS })
  await untilParked(process)
  const sentAt = wallMs()
  await process.signal('go')
  const tookMs = (await worker.next('running', process.id)).atMs - sentAt
  await process.outcome()
  return {
    what: `signal sent → a parked process runs that has journaled ${STEPS} steps`,
    ours: ms(tookMs),
    reference: 'its steps were not run again',
    bound: { text: `≤ ${ms(MOST_REPLAY_MS)}`, isMet: tookMs <= MOST_REPLAY_MS },
  }
}
