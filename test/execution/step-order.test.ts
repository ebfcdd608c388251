import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openStage, replay, work } from './stage.ts'

const COUNT = 40

/** How long a step takes is what shuffles the order here; nothing is waited for by it. */
const after = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Orders that no test chooses: each attempt's steps take random times, so they begin and end in another order. */
test.each([1, 2, 3, 4, 5])(
  'parallel keyed steps replay the same values in whatever order they come (round %i)',
  async () => {
    const gate = createGate()
    const values = new Map<string, Set<unknown>>()
    let runs = 0
    const stage = openStage({
      engines: work(async ctx => {
        const keys = Array.from({ length: COUNT }, (_, index) => `file-${index}`).sort(
          () => Math.random() - 0.5,
        )
        let done = 0
        await Promise.all(
          keys.map(async key => {
            await after(Math.random() * 5)
            const value = await ctx.step(
              'read',
              async () => {
                await after(Math.random() * 5)
                return { key, run: ++runs }
              },
              { key, input: { key } },
            )
            values.set(key, (values.get(key) ?? new Set()).add(JSON.stringify(value)))
            // Killed in the middle: half are journaled, some are in flight.
            if (ctx.attempt === 1 && ++done === COUNT / 2) await gate.pass()
            if (ctx.attempt === 1 && done > COUNT / 2) await new Promise(() => {})
          }),
        )
        return keys.length
      }),
    })
    const id = await stage.start()
    expect(await replay(stage, id, () => eventually(() => gate.arrivals === 1))).toEqual({
      status: 'completed',
      value: COUNT,
    })
    expect(values.size).toBe(COUNT)
    // Whoever saw a value of a key saw the one that the journal holds.
    const journal = new Map((await stage.registry.journal(id)).map(entry => [entry.address, entry.value]))
    for (const [key, seen] of values) expect([...seen]).toEqual([JSON.stringify(journal.get(`read[${key}]`))])
  },
)
