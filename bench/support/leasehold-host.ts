import { z } from 'zod'
import { defineEngine, defineHost, sqliteRegistry } from '../../src/index.ts'
import { wallMs } from './clock.ts'
import { untilAborted } from './until-aborted.ts'
import { tellBench } from './worker-messages.ts'

/** The kinds that the benches start. Client and worker load the same module, in different OS processes. */
export const createBenchHost = (registryPath: string) =>
  defineHost({
    registry: sqliteRegistry({ path: registryPath }),
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

      /** Waits for longer than the worker lets an attempt wait. */
      park: defineEngine({
        disposition: 'rerunnable',
        input: z.number(),
        run: ctx => ctx.sleep(ctx.input),
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
