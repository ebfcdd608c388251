import { setTimeout as sleep } from 'node:timers/promises'
import { generateText } from 'ai'
import { z } from 'zod'
import {
  defineEngine,
  defineHost,
  durableModel,
  durableTools,
  type RegistrySource,
  sqliteRegistry,
} from '../../src/index.ts'
import { createTurnModel, look, TURN_OPTIONS } from './agent-turn.ts'
import { wallMs } from './clock.ts'
import { untilAborted } from './until-aborted.ts'
import { tellBench } from './worker-messages.ts'

/** The kinds that the benches start. Client and worker load the same module, in different OS processes. */
export const createBenchHost = (registryPath: string) => benchHostOn(sqliteRegistry({ path: registryPath }))

export const benchHostOn = (registry: RegistrySource) =>
  defineHost({
    registry,
    wakes: {
      deliver: ({ wakeId }) => {
        tellBench({ type: 'woken', id: wakeId, atMs: wallMs() })
        return 'enqueued'
      },
    },
    engines: {
      /** One no-op step. */
      noop: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        run: ctx => ctx.step('noop', () => ctx.input),
      }),

      /** No-op steps in a row; returns the milliseconds of one. */
      steps: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        async run(ctx) {
          const begun = performance.now()
          for (let index = 0; index < ctx.input; index++) await ctx.step('noop', () => index)
          return (performance.now() - begun) / ctx.input
        },
      }),

      /** Says when it says it, so many times a second from the signal on; returns what that took of a core, in percent. */
      tell: defineEngine({
        disposition: 'rerunnable',
        input: z.object({ deltas: z.number(), perSecond: z.number() }),
        events: { 'signal.go': true },
        async run(ctx) {
          const { deltas, perSecond } = ctx.input
          const bench = ctx.stream('bench')
          await bench.write('ready')
          await ctx.waitForSignal('go')
          return ctx.step('tell', async () => {
            const [begunAt, cpu] = [performance.now(), process.cpuUsage()]
            for (let told = 1; told <= deltas; told++) {
              await bench.write(wallMs())
              await sleep(Math.max(0, begunAt + (told * 1_000) / perSecond - performance.now()))
            }
            const { user, system } = process.cpuUsage(cpu)
            return (user + system) / 10 / (performance.now() - begunAt)
          })
        },
      }),

      /** An agent's turn: its model wants something looked up, and then says what it is. */
      turn: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          const { text } = await generateText({
            ...TURN_OPTIONS,
            model: durableModel(ctx, createTurnModel()),
            tools: durableTools(ctx, { look }),
          })
          return text
        },
      }),

      /** Waits for longer than the worker lets an attempt wait. */
      park: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        run: ctx => ctx.sleep(ctx.input),
      }),

      /** Waits for a signal, and says when it has it. */
      listen: defineEngine({
        disposition: 'rerunnable',
        events: { 'signal.go': true },
        async run(ctx) {
          await ctx.waitForSignal('go')
          tellBench({ type: 'running', id: ctx.id, attempt: ctx.attempt, atMs: wallMs() })
        },
      }),

      /** Waits for a child, and says when it has its outcome. */
      parent: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          const child = await ctx.start({ kind: 'child', id: `${ctx.id}.child` })
          await child.outcome()
          tellBench({ type: 'running', id: ctx.id, attempt: ctx.attempt, atMs: wallMs() })
        },
      }),

      /** Ends when it is told to, and says when that is. */
      child: defineEngine({
        disposition: 'rerunnable',
        events: { 'signal.go': true },
        async run(ctx) {
          await ctx.waitForSignal('go')
          tellBench({ type: 'ending', id: ctx.id, atMs: wallMs() })
        },
      }),

      /** Steps in a row, and then a signal. */
      replay: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        events: { 'signal.go': true },
        async run(ctx) {
          for (let index = 0; index < ctx.input; index++) await ctx.step('noop', () => index)
          await ctx.waitForSignal('go')
          tellBench({ type: 'running', id: ctx.id, attempt: ctx.attempt, atMs: wallMs() })
        },
      }),

      /** A step that runs until it is told to stop. */
      wait: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        run: ctx =>
          ctx.step('wait', async ({ signal }) => {
            const aborted = untilAborted(signal, () =>
              tellBench({ type: 'aborted', id: ctx.id, atMs: wallMs() }),
            )
            tellBench({ type: 'running', id: ctx.id, attempt: ctx.attempt, atMs: wallMs() })
            await aborted
          }),
      }),

      /** The first attempt never ends by itself, the second at once. */
      crash: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        async run(ctx) {
          tellBench({ type: 'running', id: ctx.id, attempt: ctx.attempt, atMs: wallMs() })
          if (ctx.attempt === 1) await untilAborted(ctx.signal)
          return ctx.attempt
        },
      }),
    },
  })
