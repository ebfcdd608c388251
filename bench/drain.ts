import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DrainReport, type ProcessRegistry, sqliteRegistry } from '../src/index.ts'
import { openBareSide } from './support/bare-side.ts'
import type { Bench, Surroundings } from './support/bench.ts'
import { openLeaseholdSide } from './support/leasehold-side.ts'
import { seconds } from './support/table.ts'

const RUNNING = 50
const MOST_DRAIN_MS = 5_000

/** A worker that runs fifty processes is asked to stop; their code stops as soon as it is told. */
export const drain: Bench = async surroundings => {
  const { tookMs, report } = await drainOurs(surroundings)
  const bareMs = await drainBare(surroundings)
  const isWhole = report.released.length === RUNNING
  return [
    {
      what: `drain of a worker with ${RUNNING} running processes, asked → reported; 3 s of it is the grace to end in`,
      ours: isWhole ? seconds(tookMs) : `only ${report.released.length} of ${RUNNING} were given back`,
      reference: `bare, no grace, SIGTERM → exit: ${seconds(bareMs)}`,
      bound: { text: `≤ ${seconds(MOST_DRAIN_MS)}`, isMet: isWhole && tookMs <= MOST_DRAIN_MS },
    },
  ]
}

async function drainOurs(surroundings: Surroundings): Promise<{ tookMs: number; report: DrainReport }> {
  await using side = await openLeaseholdSide(surroundings)
  const worker = await side.startWorker()
  const started = await Promise.all(
    Array.from({ length: RUNNING }, () =>
      side.processes.start({ kind: 'wait', id: `drain-${randomUUID()}`, input: 1 }),
    ),
  )
  await Promise.all(started.map(({ id }) => worker.next('running', id)))
  const registry = await sqliteRegistry({ path: join(surroundings.folder, 'registry.db') }).open()
  try {
    const [row] = await registry.workers()
    const incarnation = row?.worker.incarnationId ?? ''
    const askedAt = performance.now()
    await registry.requestDrain(incarnation, 'the bench')
    const report = await untilReported(registry, incarnation)
    return { tookMs: performance.now() - askedAt, report }
  } finally {
    await registry.close()
  }
}

async function untilReported(registry: ProcessRegistry, incarnation: string): Promise<DrainReport> {
  while (true) {
    const report = (await registry.drainOf(incarnation))?.report
    if (report !== undefined) return report
    await sleep(10)
  }
}

async function drainBare(surroundings: Surroundings): Promise<number> {
  await using side = await openBareSide(surroundings)
  const worker = await side.startWorker()
  const started = await Promise.all(Array.from({ length: RUNNING }, () => side.start('wait')))
  await Promise.all(started.map(({ workflowId }) => worker.next('running', workflowId)))
  const askedAt = performance.now()
  await worker[Symbol.asyncDispose]()
  const tookMs = performance.now() - askedAt
  await Promise.all(started.map(handle => handle.terminate()))
  return tookMs
}
