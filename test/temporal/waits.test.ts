import { expect, test } from 'vitest'
import { defineEngine, type ProcessContext } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

const nest = defineEngine<number, number, unknown>({
  disposition: 'rerunnable',
  async run(ctx) {
    if (ctx.input === 0) return [ctx.attempt]
    const child = await ctx.start({ kind: 'nest', input: ctx.input - 1 })
    const outcome = await child.outcome()
    return outcome.status === 'completed' ? [ctx.attempt, ...Array.from(Object(outcome.value))] : outcome
  },
})

test('a chain of parent, child and grandchild ends in one worker with one slot, each in one attempt (§6 #200)', async () => {
  await using world = await openWorld({ engines: { nest } })
  await world.startWorker({ concurrency: 1, parkGraceMs: 60_000 })
  const handle = await world.processes.start({ kind: 'nest', input: 3 })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: [1, 1, 1, 1] })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11)
})

test('parents that fill all slots of two workers and wait all come to their end, parked or not (§6 #201)', async () => {
  const family = defineEngine<null, null, unknown>({
    disposition: 'rerunnable',
    async run(ctx) {
      const keys = Array.from({ length: 8 }, (_, nth) => String(nth))
      const parents = await Promise.all(keys.map(key => ctx.start({ kind: 'nest', input: 1 }, { key })))
      const outcomes = await Promise.all(parents.map(parent => parent.outcome()))
      return outcomes.map(({ status }) => status)
    },
  })
  await using world = await openWorld({ engines: { nest, family } })
  for (let nth = 0; nth < 2; nth++) await world.startWorker({ concurrency: 2, parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'family', input: null })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: Array(8).fill('completed') })
})

test('a signal wakes a parked process in a few events; sent twice or early it is one', async () => {
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(async () => (await handle.describe()).waits.length === 1)
  for (let time = 0; time < 2; time++) await handle.signal('go', 'now', { signalId: 's-1' })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: ['now', 2] })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(21)
})

test('a nudge that never comes costs time, and one that comes twice, or for nothing, costs nothing (§6 #227)', async () => {
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ parkGraceMs: 30 })
  const [lost, doubled] = [
    await world.processes.start({ kind: 'listener' }),
    await world.processes.start({ kind: 'listener' }),
  ]
  for (const handle of [lost, doubled])
    await eventually(async () => (await handle.describe()).waits.length === 1)
  for (let time = 0; time < 3; time++) await world.workflow(doubled.id).signal('nudge', 'look')
  // Straight into the registry: no client tells the server of it.
  for (const handle of [lost, doubled]) await world.registry.signal(handle.id, 'go', 'now')
  await world.workflow(doubled.id).signal('nudge', 'look')
  await world.workflow(doubled.id).signal('nudge', 'look')
  expect(await lost.outcome()).toEqual({ status: 'completed', value: ['now', 2] })
  expect(await doubled.outcome()).toEqual({ status: 'completed', value: ['now', 2] })
  expect(await world.workflow(doubled.id).result()).toEqual({ status: 'completed' })
})

test('three hundred parked processes leave every slot of four workers free, and all go on when told (§6 #224)', {
  timeout: 600_000,
}, async () => {
  const gate = createGate()
  const door = defineEngine({ disposition: 'rerunnable', run: () => gate.pass() })
  await using world = await openWorld({ engines: { listener, door } })
  for (let nth = 0; nth < 4; nth++) await world.startWorker({ concurrency: 2, parkGraceMs: 30 })
  const ids = Array.from({ length: 300 }, (_, nth) => `parked-${String(nth).padStart(3, '0')}`)
  const forAll = async (act: (id: string) => Promise<unknown>) => {
    for (let from = 0; from < ids.length; from += 20) await Promise.all(ids.slice(from, from + 20).map(act))
  }
  await forAll(id => world.processes.start({ kind: 'listener', id }))
  const parked = () => world.registry.list({ waiting: true }, { limit: 500 })
  await eventually(async () => (await parked()).records.length === 300, 300_000)

  // As many as there are slots get in, all at once: none is taken by those that wait.
  const others = await Promise.all(Array.from({ length: 8 }, () => world.processes.start({ kind: 'door' })))
  await eventually(() => gate.arrivals === 8)
  gate.open()
  await forAll(id => world.processes.handle(id).signal('go', id))
  const outcomes = await Promise.all(ids.map(id => world.processes.handle(id).outcome()))

  expect(outcomes.map(outcome => 'value' in outcome && outcome.value)).toEqual(ids.map(id => [id, 2]))
  for (const handle of others) expect(await handle.outcome()).toMatchObject({ status: 'completed' })
})

test('a process that rolls over goes on in the same activity', async () => {
  const loop = defineEngine({
    disposition: 'rerunnable',
    async run(ctx: ProcessContext) {
      const round = typeof ctx.state === 'number' ? ctx.state : 0
      await ctx.step('work', () => round)
      return round < 50 ? ctx.rollover(round + 1) : round
    },
  })
  await using world = await openWorld({ engines: { loop } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'loop' })
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 50 })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11)
})
