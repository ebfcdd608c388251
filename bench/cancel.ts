import { setTimeout as sleep } from 'node:timers/promises'
import { type BareSide, openBareSide } from './support/bare-side.ts'
import type { Bench } from './support/bench.ts'
import type { WorkerProcess } from './support/children.ts'
import { wallMs } from './support/clock.ts'
import { type LeaseholdSide, openLeaseholdSide } from './support/leasehold-side.ts'
import { BARE_HEARTBEAT_MS } from './support/settings.ts'
import { median, percentile, repeat } from './support/statistics.ts'
import { ms, times } from './support/table.ts'

const CANCELS = 200
const BARE_EVERY = 5
/** Restate's figure on the same kind of machine, cancel call to signal. */
const MOST_P50_MS = 6
const MOST_P99_MS = 50
/** Cancels come at any moment of whatever polls: spread over more than its period, and over the first heartbeats. */
const SPREAD_MS = 2 * BARE_HEARTBEAT_MS

/** The cancel call until the signal fires in a step that runs in another OS process. */
export const cancel: Bench = async surroundings => {
  await using ours = await openLeaseholdSide(surroundings)
  await using bare = await openBareSide(surroundings)
  const [ourWorker, bareWorker] = await Promise.all([ours.startWorker(), bare.startWorker()])
  await cancelOurs(ours, ourWorker)
  await cancelBare(bare, bareWorker)

  const figures = { ours: [] as number[], bare: [] as number[] }
  await repeat(CANCELS, async index => {
    figures.ours.push(await cancelOurs(ours, ourWorker))
    if (index % BARE_EVERY === 0) figures.bare.push(await cancelBare(bare, bareWorker))
  })

  const [p50, p99, bareP50] = [median(figures.ours), percentile(figures.ours, 0.99), median(figures.bare)]
  return [
    {
      what: 'cancel call → ctx.signal fires in another OS process, p50 / p99',
      ours: `${ms(p50)} / ${ms(p99)}`,
      reference: `bare activity, a heartbeat each ${BARE_HEARTBEAT_MS} ms: ${ms(bareP50)} / ${ms(percentile(figures.bare, 0.99))}`,
      ratio: times(p50 / bareP50),
      bound: {
        text: `≤ ${ms(MOST_P50_MS)} / ≤ ${ms(MOST_P99_MS)}`,
        isMet: p50 <= MOST_P50_MS && p99 <= MOST_P99_MS,
      },
    },
  ]
}

async function cancelOurs({ processes }: LeaseholdSide, worker: WorkerProcess): Promise<number> {
  const started = await processes.start({ kind: 'wait', input: 1 })
  await worker.next('running', started.id)
  await sleep(Math.random() * SPREAD_MS)
  const calledAt = wallMs()
  const called = started.cancel('bench')
  const { atMs } = await worker.next('aborted', started.id)
  await called
  await started.outcome()
  return atMs - calledAt
}

async function cancelBare(bare: BareSide, worker: WorkerProcess): Promise<number> {
  const started = await bare.start('wait')
  await worker.next('running', started.workflowId)
  await sleep(Math.random() * SPREAD_MS)
  const calledAt = wallMs()
  const called = started.cancel()
  const { atMs } = await worker.next('aborted', started.workflowId)
  await called
  await started.result().catch(() => {}) // it ends as cancelled
  return atMs - calledAt
}
