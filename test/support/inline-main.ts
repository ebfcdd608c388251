/** An inline worker in an OS process of its own: `node inline-main.ts OPTIONS`. It says each step as one line of JSON. */
import { writeSync } from 'node:fs'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, type LeaseTimings, type Logger } from '../../src/index.ts'
import { crashHostOn } from './crash-host.ts'

export interface InlineMainOptions {
  /** `sqlite:PATH` or `postgres://…?schema=NAME`. */
  readonly registry: string
  readonly leaseTimings?: LeaseTimings
  readonly parkGraceMs?: number
  readonly concurrency?: number
  readonly shutdownGraceMs?: number
  readonly stopBoundMs?: number
}

const say = (what: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  writeSync(1, `${JSON.stringify({ what, ...fields })}\n`)
}
const log = (message: string, fields?: Readonly<Record<string, unknown>>) =>
  say('log', { message, ...fields })
const logger: Logger = { debug: () => {}, info: log, warn: log, error: log }

const { registry, ...options }: InlineMainOptions = JSON.parse(process.argv[2] ?? '{}')
// Whoever started it has gone.
process.stdin.resume().on('end', () => process.exit())
const worker = createInlineWorker(crashHostOn(parseRegistryAddress(registry)), { logger, ...options })
process.on('SIGTERM', () => worker.stop())
await worker.ready
say('ready', { worker: worker.id })
await worker.run()
say('stopped')
process.exit()
