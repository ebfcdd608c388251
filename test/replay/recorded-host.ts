import { setTimeout as sleep } from 'node:timers/promises'
import { defineEngine, defineHost, sqliteRegistry } from '../../src/index.ts'

/** What the recorded histories ran: an engine for each thing that a run may be asked to do. */
export const recordedHost = (registryPath: string) =>
  defineHost({
    registry: sqliteRegistry({ path: registryPath }),
    engines: {
      quick: defineEngine({ disposition: 'rerunnable', run: () => 'done' }),
      nap: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(300) }),
      night: defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(3_600_000) }),
      /** Takes its time to stop, so that Temporal's word reaches the activity as well. */
      listens: defineEngine({
        disposition: 'rerunnable',
        async run(ctx) {
          await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
          // Slow to stop, so that the history holds a cancel that the activity outlives for a while.
          await sleep(500)
          throw ctx.signal.reason
        },
      }),
      /** Goes on in a second epoch of its journal. */
      rolls: defineEngine({
        disposition: 'rerunnable',
        run: async ctx => (ctx.state === undefined ? ctx.rollover({ round: 2 }) : 2),
      }),
      owned: defineEngine({ disposition: 'owner_bound', run: () => 'done' }),
      deaf: defineEngine({ disposition: 'rerunnable', run: () => new Promise<void>(() => {}) }),
    },
  })
