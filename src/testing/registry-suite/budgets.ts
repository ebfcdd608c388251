import { expect } from 'vitest'
import type { Budget, Spending } from '../../model/budget.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { emitEntry } from './event-semantics.ts'
import { COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const reserve = ({ registry }: World, lease: ProcessLease, id: string, asked: Spending, limits?: Budget) =>
  registry.reserveBudget(lease, { operation: { id, asked }, ...(limits === undefined ? {} : { limits }) })

const OVER = { eventType: 'over', payload: 1, replayKey: 'end' }

const childOf = (world: World, parent: string, id: string) =>
  world.register({
    id,
    provenance: { originator: { type: 'host' }, causedBy: { type: 'process', processId: parent } },
    eventTypes: [{ name: 'over', payloadSchema: true, semantics: { terminal: { state: 'completed' } } }],
  })

export function budgetCases(it: Case): void {
  it('a process without a budget, and without an ancestor that has one, spends what it likes', async world => {
    const lease = await world.start(await world.register())
    expect(await reserve(world, lease, 'a', { tokens: 1e9 })).toEqual({ type: 'unlimited' })
    await world.registry.settleBudget(lease, { operationId: 'a', took: { tokens: 1e9 } })
    expect(await world.registry.budget('p')).toBeUndefined()
  })

  it('what is reserved counts until it is known what was taken', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    expect(await reserve(world, lease, 'a', { tokens: 60 }, { tokens: 100 })).toEqual({ type: 'reserved' })
    expect(await reserve(world, lease, 'b', { tokens: 60 })).toEqual({
      type: 'exceeded',
      limit: 'tokens',
      processId: 'p',
      allowed: 100,
      used: 60,
      asked: 60,
    })
    await registry.settleBudget(lease, { operationId: 'a', took: { tokens: 10 } })
    expect(await reserve(world, lease, 'b', { tokens: 60 })).toEqual({ type: 'reserved' })
    expect(await registry.budget('p')).toMatchObject({
      spent: { tokens: 10 },
      reserved: { b: { tokens: 60 } },
    })
  })

  it('of many reservations at once, no more fit than the budget allows', async world => {
    const lease = await world.start(await world.register())
    await world.registry.reserveBudget(lease, { limits: { modelCalls: 3 } })
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(id => reserve(world, lease, id, { modelCalls: 1 })),
    )
    expect(answers.filter(({ type }) => type === 'reserved')).toHaveLength(3)
  })

  it('reserved again after a crash, what was reserved before counts as spent', async world => {
    const { registry, clock } = world
    await reserve(world, await world.start(await world.register()), 'a', { tokens: 60 }, { tokens: 100 })
    clock.advance(TTL)
    const lease = await world.run('p')
    expect(await reserve(world, lease, 'a', { tokens: 60 })).toMatchObject({ type: 'exceeded', used: 60 })
    expect(await reserve(world, lease, 'a', { tokens: 40 })).toEqual({ type: 'reserved' })
    expect(await registry.budget('p')).toMatchObject({
      spent: { tokens: 60 },
      reserved: { a: { tokens: 40 } },
    })
  })

  it('children spend of the budgets above them, and of their own', async world => {
    const { registry } = world
    const parent = await world.start(await world.register())
    await registry.reserveBudget(parent, { limits: { tokens: 100 } })
    const child = await world.start(await childOf(world, 'p', 'c'))
    const grandchild = await world.start(await childOf(world, 'c', 'g'))
    await reserve(world, child, 'a', { tokens: 40 }, { tokens: 50 })
    await registry.settleBudget(child, { operationId: 'a', took: { tokens: 40 } })
    expect(await reserve(world, grandchild, 'b', { tokens: 20 })).toMatchObject({
      type: 'exceeded',
      processId: 'c',
    })
    await reserve(world, parent, 'd', { tokens: 55 })
    expect(await reserve(world, grandchild, 'b', { tokens: 10 })).toMatchObject({
      type: 'exceeded',
      processId: 'p',
      used: 95,
    })
    expect(await reserve(world, grandchild, 'b', { tokens: 5 })).toEqual({ type: 'reserved' })
    expect(await registry.budget('p')).toMatchObject({ spent: { tokens: 40 } })
    expect(await registry.budget('g')).toMatchObject({ within: ['c', 'p'] })
  })

  it('a call that nobody can price is refused where money is limited', async world => {
    const lease = await world.start(await world.register())
    expect(await reserve(world, lease, 'a', { modelCalls: 1, tokens: 1 }, { costUsd: 5 })).toMatchObject({
      type: 'exceeded',
      limit: 'costUsd',
    })
    expect(await reserve(world, lease, 'b', { toolCalls: 1 })).toEqual({ type: 'reserved' })
    expect(await reserve(world, lease, 'c', { modelCalls: 1, costUsd: 5 })).toEqual({ type: 'reserved' })
  })

  it('time counts from the beginning of the process, over crashes', async world => {
    const { clock } = world
    const id = await world.register()
    clock.advance(10)
    const lease = await world.start(id)
    expect(await reserve(world, lease, 'a', {}, { wallTimeMs: 20 })).toMatchObject({ type: 'reserved' })
    clock.advance(10)
    expect(await reserve(world, lease, 'b', {})).toMatchObject({ limit: 'wallTimeMs', allowed: 20, used: 20 })
  })

  it('a call is told how long it may take, by the budget that ends first', async world => {
    const { registry, clock } = world
    const parent = await world.start(await world.register())
    await registry.reserveBudget(parent, { limits: { wallTimeMs: 50 } })
    clock.advance(10)
    const child = await world.start(await childOf(world, 'p', 'c'))
    expect(await reserve(world, child, 'a', {}, { wallTimeMs: 30 })).toEqual({
      type: 'reserved',
      time: { leftMs: 30, processId: 'c', allowed: 30 },
    })
    const other = await world.start(await childOf(world, 'p', 'd'))
    expect(await reserve(world, other, 'b', {}, { wallTimeMs: 41 })).toMatchObject({
      time: { leftMs: 40, processId: 'p', allowed: 50 },
    })
    expect(await reserve(world, parent, 'c', {})).toMatchObject({ time: { leftMs: 40 } })
  })

  const ends: readonly (readonly [string, (world: World, lease: ProcessLease) => Promise<unknown>])[] = [
    ['by its holder', ({ registry }, lease) => registry.completeWithLease(lease, COMPLETED)],
    [
      'by whoever settles it, after its worker has died',
      async ({ registry, clock, begin }) => {
        await registry.requestCancel('c')
        clock.advance(TTL)
        const answer = await begin('c')
        if (answer.type !== 'settle') return expect.fail(answer.type)
        return registry.completeWithLease(answer.lease, answer.outcome)
      },
    ],
    [
      'by an event that somebody else appends',
      async ({ registry, clock }) => {
        clock.advance(TTL)
        return registry.append('c', OVER)
      },
    ],
    ['by an event of its own', ({ registry }, lease) => registry.emit(lease, emitEntry(lease), OVER)],
  ]
  for (const [how, end] of ends) {
    it(`a process that is ended ${how} in the middle of a call gives back what is not sure of it`, async world => {
      const { registry } = world
      const parent = await world.start(await world.register())
      await registry.reserveBudget(parent, { limits: { tokens: 100 } })
      await reserve(world, parent, 'own', { tokens: 5 })
      const child = await world.start(await childOf(world, 'p', 'c'))
      const grandchild = await world.start(await childOf(world, 'c', 'g'))
      const operation = { id: 'a', asked: { modelCalls: 1, tokens: 60 }, sure: { modelCalls: 1, tokens: 20 } }
      await registry.reserveBudget(child, { operation })
      await reserve(world, grandchild, 'b', { tokens: 30 })
      expect(await reserve(world, grandchild, 'd', { tokens: 6 })).toMatchObject({
        type: 'exceeded',
        used: 95,
      })
      await end(world, child)
      // What the others are in the middle of stays reserved.
      expect(await registry.budget('p')).toMatchObject({
        spent: { modelCalls: 1, tokens: 20 },
        reserved: { own: { tokens: 5, by: 'p' }, b: { tokens: 30, by: 'g' } },
      })
      const left = { spent: { tokens: 20 }, reserved: { b: { tokens: 30 } } }
      expect(await registry.budget('c')).toMatchObject(left)
      expect(Object.keys((await registry.budget('c'))?.reserved ?? {})).toEqual(['b'])
      world.clock.advance(TTL)
      const again = await world.run('g')
      expect(await reserve(world, again, 'd', { tokens: 45 })).toEqual({ type: 'reserved' })
    })
  }

  it('the budget above reaches a child of one that has spent nothing of it and is gone', async world => {
    const { registry } = world
    const root = await world.start(await world.register())
    await registry.reserveBudget(root, { limits: { tokens: 10 } })
    const middle = await world.start(await childOf(world, 'p', 'm'))
    const late = await world.start(await childOf(world, 'm', 'late'))
    await registry.completeWithLease(middle, COMPLETED)
    await registry.prune({ before: Number.MAX_SAFE_INTEGER })
    expect(await registry.get('m')).toBeUndefined()
    expect(await reserve(world, late, 'c', { tokens: 11 })).toMatchObject({
      type: 'exceeded',
      processId: 'p',
    })
  })

  it('the budget above reaches the last of many generations that have spent nothing', async world => {
    const { registry } = world
    const root = await world.start(await world.register())
    await registry.reserveBudget(root, { limits: { tokens: 10 } })
    let parent = 'p'
    for (let generation = 1; generation <= 60; generation++) {
      const id = `g${generation}`
      await childOf(world, parent, id)
      parent = id
    }
    const last = await world.run(parent)
    expect(await reserve(world, last, 'a', { tokens: 11 })).toMatchObject({
      type: 'exceeded',
      processId: 'p',
    })
    expect(await reserve(world, last, 'a', { tokens: 4 })).toEqual({ type: 'reserved' })
    expect(await registry.budget('p')).toMatchObject({ reserved: { a: { tokens: 4, by: 'g60' } } })
  })

  it('a child keeps to its own limits beside those above it, though it knows them only when it runs', async world => {
    const { registry } = world
    const parent = await world.start(await world.register())
    await registry.reserveBudget(parent, { limits: { tokens: 100 } })
    const child = await world.start(await childOf(world, 'p', 'c'))
    await registry.reserveBudget(child, { limits: { tokens: 5 } })
    expect(await reserve(world, child, 'a', { tokens: 6 }, { tokens: 50 })).toMatchObject({
      type: 'exceeded',
      processId: 'c',
      allowed: 5,
    })
  })

  it('nobody spends under a lease that is gone, or after the end', async world => {
    const { registry, clock } = world
    const lease = await world.start(await world.register())
    await reserve(world, lease, 'a', {}, { tokens: 1 })
    await registry.completeWithLease(lease, COMPLETED)
    await refused(reserve(world, lease, 'b', {}), 'process_lease_lost')
    const other = await world.start(await world.register({ id: 'q' }))
    clock.advance(TTL)
    await refused(reserve(world, other, 'a', {}), 'process_lease_lost')
  })
}
