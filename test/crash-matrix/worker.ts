/**
 * A worker of the matrix in an OS process of its own: `node worker.ts OPTIONS`. It says `began` and `ended` of each
 * attempt, and dies at the places of its processes.
 */
import { writeSync } from 'node:fs'
import { createInlineWorker, createProcessWorker, type Logger } from '../../src/index.ts'
import { type FaultPlace, withFaultPoints } from '../../src/testing/fault-points.ts'
import { matrixHost } from './host.ts'
import { isPlaceOf } from './places.ts'
import { OutsideWorld } from './world.ts'

export interface WorkerOptions {
  readonly registry: string
  readonly folder: string
  /** Of a Temporal server; absent: inline. */
  readonly temporal?: string
}

const { registry, folder, temporal }: WorkerOptions = JSON.parse(process.argv[2] ?? '{}')
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const world = new OutsideWorld(folder)
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error }

function reached(place: FaultPlace): void {
  const { point, processId, step = '' } = place
  if (point === 'attempt.begun') writeSync(1, 'began\n')
  if (point === 'process.parked' || point === 'process.ended') writeSync(1, 'ended\n')
  if (point === 'step.journaled' && step.startsWith('model')) world.note('journaled', processId, step)
  if (!isPlaceOf(place) || !world.isFirst(processId)) return
  world.note('died', processId, `${point} ${step}`)
  process.kill(process.pid, 'SIGKILL')
}

const host = withFaultPoints(matrixHost(registry, world), reached)
const options = { parkGraceMs: 50, concurrency: 2, logger: silent }
if (temporal === undefined) {
  await createInlineWorker(host, options).run()
} else {
  const { DefaultLogger, NativeConnection, Runtime } = await import('@temporalio/worker')
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const connection = await NativeConnection.connect({ address: temporal })
  const worker = await createProcessWorker(host, { ...options, connection })
  await worker.run()
}
