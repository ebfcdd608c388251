/**
 * An inline worker in an OS process of its own whose host takes wakes, and dies doing so where it is told to:
 * `node wake-main.ts OPTIONS`. It says each step as one line of JSON.
 */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { MockLanguageModelV4 } from 'ai/test'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import { createInlineWorker, defineEngine, defineHost, type WakeSink } from '../../src/index.ts'
import { mark, readMarks } from './marks.ts'
import { withModelKey } from './scan/run-secrets.ts'

export interface WakeMainOptions {
  /** `sqlite:PATH` or `postgres://…?schema=NAME`. */
  readonly registry: string
  readonly folder: string
  /** Where it is killed, the first time that it comes there. */
  readonly dies?: 'after the append' | 'before the hand-over' | 'after the hand-over' | 'in a child'
  /** Nobody can prove it dead, as from another machine: its leases lapse. */
  readonly isOpaque?: boolean
}

export const tellingHost = ({ registry, folder, dies }: WakeMainOptions) => {
  const dieAt = (place: WakeMainOptions['dies']) => {
    if (dies !== place || readMarks(folder, 'died').length > 0) return undefined
    mark(folder, 'died')
    process.kill(process.pid, 'SIGKILL')
    return new Promise<never>(() => {})
  }
  const wakes: WakeSink = {
    async deliver(wake, { inbox }) {
      await dieAt('before the hand-over')
      const receipt = await inbox(wake)
      mark(folder, 'handed over', wake.input)
      await dieAt('after the hand-over')
      return receipt
    },
  }
  return defineHost({
    registry: parseRegistryAddress(registry),
    models: { default: withModelKey(listening) },
    wakes,
    engines: {
      teller: defineEngine({
        disposition: 'rerunnable',
        events: { news: true },
        wakes: { news: { input: 'payload' }, 'process.completed': { input: { const: 'the end' } } },
        async run(ctx) {
          await ctx.emit('news', 'the beginning')
          await dieAt('after the append')
        },
      }),
      /** Has a child, and waits for its end. */
      family: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          const child =
            ctx.input === 'external'
              ? await ctx.start({
                  kind: 'external',
                  input: null,
                  disposition: 'externally_owned',
                  id: `${ctx.id}.theirs`,
                  wakes: { 'process.completed': { input: 'payload' } },
                })
              : await ctx.start({ kind: 'bound', id: `${ctx.id}.own` })
          return child.outcome()
        },
      }),
      /** Dies with its worker, and may not be run again. */
      bound: defineEngine({
        disposition: 'owner_bound',
        wakes: { 'process.abandoned': { input: 'payload' } },
        async run() {
          mark(folder, 'bound began')
          await dieAt('in a child')
        },
      }),
    },
  })
}

export const listening = new MockLanguageModelV4({
  doGenerate: async () => ({
    content: [{ type: 'text', text: 'heard' }],
    finishReason: { unified: 'stop', raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    },
    warnings: [],
  }),
})

if (process.argv[1] === import.meta.filename) {
  const say = (what: string): void => void writeSync(1, `${JSON.stringify({ what })}\n`)
  const nothing = () => {}
  const options: WakeMainOptions = JSON.parse(process.argv[2] ?? '{}')
  // Whoever started it has gone.
  process.stdin.resume().on('end', () => process.exit())
  const logger = { debug: nothing, info: nothing, warn: nothing, error: console.error }
  const opaque = {
    worker: {
      ownerId: `opaque:${process.pid}`,
      incarnationId: randomUUID(),
      liveness: { kind: 'opaque' },
    },
    leaseTimings: { ttlMs: 1_500, renewIntervalMs: 500 },
  } as const
  const worker = createInlineWorker(tellingHost(options), { logger, ...(options.isOpaque ? opaque : {}) })
  process.on('SIGTERM', () => worker.stop())
  await worker.ready
  say('ready')
  await worker.run()
  process.exit()
}
