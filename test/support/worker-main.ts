/** A worker in an OS process of its own: `node worker-main.ts OPTIONS`. It says each step as one line of JSON. */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { NativeConnection, Runtime } from '@temporalio/worker'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createProcessWorker, type LeaseTimings, type Logger } from '../../src/index.ts'
import { crashHost, crashHostOn } from './crash-host.ts'
import { TEMPORAL_METADATA } from './scan/run-secrets.ts'
import { stoppingAtBegin } from './stopping-at-begin.ts'

export interface WorkerMainOptions {
  readonly registryPath: string
  /** `postgres://…`: in its place. */
  readonly registryUrl?: string
  readonly address: string
  readonly leaseTimings?: LeaseTimings
  readonly parkGraceMs?: number
  readonly concurrency?: number
  /** Each task that it is given, before its attempt begins: the worker dies of it, or waits at the door `begin`. */
  readonly atBegin?: 'dies' | 'waits'
  /** Nobody can prove it dead, as from another machine. */
  readonly isOpaque?: boolean
}

const say = (what: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  writeSync(1, `${JSON.stringify({ what, ...fields })}\n`)
}
const log = (message: string, fields?: Readonly<Record<string, unknown>>) =>
  say('log', { message, ...fields })
const logger: Logger = { debug: () => {}, info: log, warn: log, error: log }

const given: WorkerMainOptions = JSON.parse(process.argv[2] ?? '{}')
const { registryPath, registryUrl, address, atBegin, isOpaque = false, ...options } = given
const plainHost =
  registryUrl === undefined ? crashHost(registryPath) : crashHostOn(parseRegistryAddress(registryUrl))
const host = atBegin === undefined ? plainHost : stoppingAtBegin(plainHost, atBegin, dirname(registryPath))
Runtime.install({ shutdownSignals: [] })
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const connection = await NativeConnection.connect({ address, metadata: TEMPORAL_METADATA })
const opaque = {
  ownerId: `opaque:${process.pid}`,
  incarnationId: randomUUID(),
  liveness: { kind: 'opaque' },
} as const
const worker = await createProcessWorker(host, {
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
