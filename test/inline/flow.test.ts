import { describe, expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { explain } from '../../src/model/explain.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openInline, REGISTRIES } from './world.ts'

const ONE = { concurrency: { key: 'site', limit: 1 } }

describe.each(REGISTRIES)('flow control of inline workers on $name', ({ newAddress }) => {
  test('those who wait for their turn keep out nobody, and come one after the other, in their order', async () => {
    const gate = createGate()
    const order: string[] = []
    let running = 0
    const world = await openInline(await newAddress(), {
      one: defineEngine({
        disposition: 'rerunnable',
        flow: ONE,
        async run(ctx) {
          order.push(ctx.id)
          running++
          if (running > 1) order.push('two at a time')
          await gate.pass(ctx.signal)
          running--
        },
      }),
      free: defineEngine({ disposition: 'rerunnable', run: () => 'free' }),
    })
    // Two slots: one for the holder, one that those in the queue must leave free.
    await world.startWorker({ concurrency: 2 })
    const holder = await world.processes.start({ kind: 'one', id: 'holder' })
    await eventually(() => gate.arrivals === 1)
    const handles = [holder]
    for (const id of ['first', 'second', 'third']) {
      handles.push(await world.processes.start({ kind: 'one', id }))
      await eventually(async () => (await world.registry.get(id))?.turn !== undefined)
    }
    handles.push(await world.processes.start({ kind: 'one', id: 'urgent', flow: { priority: 1 } }))
    await eventually(async () => (await world.registry.get('urgent'))?.turn !== undefined)
    expect(explain(await world.registry.situation('second'))).toMatchObject({ state: 'queued' })
    const free = await world.processes.start({ kind: 'free' })
    expect(await free.outcome()).toMatchObject({ value: 'free' })
    gate.open()
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    expect(order).toEqual(['holder', 'urgent', 'first', 'second', 'third'])
  })

  test('workers of several openings keep one limit between them, and all that was started ends', async () => {
    const limit = 3
    let running = 0
    let most = 0
    const engines = {
      work: defineEngine({
        disposition: 'rerunnable',
        flow: () => ({ concurrency: { key: 'k', limit } }),
        async run(ctx) {
          most = Math.max(most, ++running)
          await ctx.step('one', () => 1)
          running--
        },
      }),
    }
    const address = await newAddress()
    const [here, there] = [await openInline(address, engines), await openInline(address, engines)]
    for (const world of [here, there]) await world.startWorker()
    const handles = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        (index % 2 === 0 ? here : there).processes.start({ kind: 'work', id: `p-${index}` }),
      ),
    )
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    expect(most).toBeLessThanOrEqual(limit)
  })

  test('a child whose parent parks takes the parent’s place, and gives it back', async () => {
    const world = await openInline(await newAddress(), {
      parent: defineEngine({
        disposition: 'rerunnable',
        flow: ONE,
        async run(ctx) {
          const child = await ctx.start({ kind: 'child', id: 'child' })
          return (await child.outcome()).status
        },
      }),
      child: defineEngine({ disposition: 'rerunnable', flow: ONE, run: () => 'done' }),
    })
    await world.startWorker({ parkGraceMs: 50 })
    const parent = await world.processes.start({ kind: 'parent' })
    expect(await parent.outcome()).toMatchObject({ value: 'completed' })
  })

  test('a rate gives each its time, and nothing else wakes them', async () => {
    const world = await openInline(await newAddress(), {
      mail: defineEngine({
        disposition: 'rerunnable',
        flow: { rate: { key: 'mails', limit: 20, periodMs: 1_000, burst: 1 } },
        run: () => 'sent',
      }),
    })
    await world.startWorker()
    const handles = await Promise.all(
      Array.from({ length: 6 }, (_, index) => world.processes.start({ kind: 'mail', id: `m-${index}` })),
    )
    for (const handle of handles) expect(await handle.outcome()).toMatchObject({ value: 'sent' })
    const begins = await Promise.all(
      handles.map(async ({ id }) => (await world.registry.get(id))?.firstStarted?.startedAtMs ?? 0),
    )
    // Five intervals of 50 ms; the last begin may have been written late, the first one not early.
    expect(Math.max(...begins) - Math.min(...begins)).toBeGreaterThanOrEqual(150)
    expect(new Set(begins.map(ms => ms)).size).toBeGreaterThan(1)
  })
})
