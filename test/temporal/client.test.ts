import { expect, test } from 'vitest'
import { createProcessClient, defineEngine } from '../../src/index.ts'
import { collect } from '../support/collect.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

const noted = (gate = createGate()) =>
  defineEngine({
    disposition: 'rerunnable',
    events: { note: { type: 'string' } },
    async run(ctx) {
      await ctx.emit('note', 'begun')
      await gate.pass(ctx.signal)
      await ctx.emit('note', 'ending')
    },
  })

test('events come in order, the existing first, and end with the process', async () => {
  const gate = createGate()
  await using world = await openWorld({ engines: { noted: noted(gate) } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'noted' })
  const seen: [number, unknown][] = []
  for await (const event of handle.events()) {
    if (event.eventType === 'note') seen.push([event.sequence, event.payload])
    if (event.payload === 'begun') gate.open()
  }
  expect(seen.map(([, payload]) => payload)).toEqual(['begun', 'ending'])
  const types = await world.eventTypes(handle.id)
  expect(types.at(-1)).toBe('process.completed')
  const last = await collect(handle.events({ after: types.length - 1 }))
  expect(last.map(event => event.eventType)).toEqual(['process.completed'])
})

test('following events and awaiting an outcome end with the signal and leave no subscription (§6 #140)', async () => {
  const gate = createGate()
  await using world = await openWorld({ engines: { noted: noted(gate) } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'noted' })
  await eventually(() => gate.arrivals === 1)
  const subscribed = world.registry.hub.size
  const abort = new AbortController()
  const following = collect(handle.events({ signal: abort.signal }))
  const awaiting = handle.outcome({ signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(following).rejects.toThrow('enough')
  await expect(awaiting).rejects.toThrow('enough')
  await eventually(() => world.registry.hub.size === subscribed)
  gate.open()
  expect(await handle.outcome()).toMatchObject({ status: 'completed' })
})

test('a reader that stops following leaves no subscription', async () => {
  await using world = await openWorld({ engines: { noted: noted() } })
  const handle = await world.processes.start({ kind: 'noted' })
  for await (const event of handle.events()) {
    expect(event.sequence).toBe(1)
    break
  }
  expect(world.registry.hub.size).toBe(0)
})

test('a client of another OS process on the same file would see the same rows: two clients, one registry', async () => {
  await using world = await openWorld({ engines: { noted: noted() } })
  await using other = createProcessClient({ host: { ...world.host }, temporal: world.temporal })
  const handle = await world.processes.start({ kind: 'noted', id: 'shared' })
  const same = await other.start({ kind: 'noted', id: 'shared' })
  expect(same.started).toBe(false)
  expect(await same.describe()).toEqual(await handle.describe())
})
