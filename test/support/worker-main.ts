/** A worker in an OS process of its own: `node worker-main.ts OPTIONS`. It says each step as one line of JSON. */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { NativeConnection, Runtime } from '@temporalio/worker'
import { createProcessWorker, type LeaseTimings, type Logger } from '../../src/index.ts'
import { crashHost } from './crash-host.ts'

export interface WorkerMainOptions {
  readonly registryPath: string
  readonly address: string
  readonly leaseTimings?: LeaseTimings
  readonly parkGraceMs?: number
  readonly concurrency?: number
  /** Nobody can prove it dead, as from another machine. */
  readonly isOpaque?: boolean
}

const say = (what: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  writeSync(1, `${JSON.stringify({ what, ...fields })}\n`)
}
const log = (message: string, fields?: Readonly<Record<string, unknown>>) =>
  say('log', { message, ...fields })
const logger: Logger = { debug: () => {}, info: log, warn: log, error: log }

const {
  registryPath,
  address,
  isOpaque = false,
  ...options
}: WorkerMainOptions = JSON.parse(process.argv[2] ?? '{}')
Runtime.install({ shutdownSignals: [] })
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const connection = await NativeConnection.connect({ address })
const opaque = {
  ownerId: `opaque:${process.pid}`,
  incarnationId: randomUUID(),
  liveness: { kind: 'opaque' },
} as const
const worker = await createProcessWorker(crashHost(registryPath), {
  connection,
  logger,
  ...options,
  ...(isOpaque ? { worker: opaque } : {}),
})
process.on('SIGTERM', () => worker.stop())
const running = worker.run()
say('ready', { worker: worker.id })
await running
await connection.close()
say('stopped', { report: await worker.stop() })
process.exit()
