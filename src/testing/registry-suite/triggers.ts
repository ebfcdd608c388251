import { expect } from 'vitest'
import { TRIGGERS, type TriggerOrder, triggeredProcessId } from '../../model/trigger.ts'
import type { RecordedOccurrence } from '../../registry/registry.ts'
import { COMPLETED, registration } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const order = (triggerId: string, patch: Partial<TriggerOrder> = {}): TriggerOrder => ({
  triggerId,
  source: { type: 'event', name: 'push' },
  start: { kind: 'build', input: { of: triggerId } },
  ...patch,
})

const push = (key: string, payload: string = key) => ({
  occurrenceId: `event:push:${key}`,
  source: { type: 'event', name: 'push' } as const,
  payload,
})

const triggersOf = ({ deliveries }: Pick<RecordedOccurrence, 'deliveries'>) =>
  deliveries.map(({ trigger }) => trigger.triggerId)

/** The trigger's own process, as whoever starts a delivery registers it. */
async function startDelivered({ registry }: World, { deliveries }: RecordedOccurrence): Promise<string> {
  const [delivery] = deliveries
  if (delivery === undefined) return expect.fail('nothing is reserved')
  const { processId, occurrence } = delivery
  const causedBy = { type: 'trigger_occurrence', occurrenceId: occurrence.occurrenceId } as const
  const provenance = { originator: { type: 'host' }, causedBy } as const
  await registry.register(registration({ id: processId, provenance }))
  return processId
}

export function triggerCases(it: Case): void {
  it('a trigger comes back as it was ordered, with a life and a revision', async ({ registry, clock }) => {
    const { type, trigger } = await registry.saveTrigger(order('a'))
    expect(type).toBe('added')
    expect(trigger).toEqual({
      ...order('a'),
      incarnation: expect.any(String),
      revision: 1,
      isPaused: false,
      createdAtMs: clock.now(),
      updatedAtMs: clock.now(),
      version: 1,
    })
    expect(await registry.trigger('a')).toEqual(trigger)
    expect(await registry.trigger('b')).toBeUndefined()
  })

  it('the same order again changes nothing, another one is its next revision', async ({ registry }) => {
    const { trigger } = await registry.saveTrigger(order('a'))
    expect(await registry.saveTrigger(order('a'))).toEqual({ type: 'unchanged', trigger })
    const changed = await registry.saveTrigger(order('a', { start: { kind: 'deploy' } }))
    expect(changed).toMatchObject({ type: 'changed', trigger: { revision: 2, start: { kind: 'deploy' } } })
    expect(changed.trigger.incarnation).toBe(trigger.incarnation)
    expect(await registry.trigger('a')).toEqual(changed.trigger)
  })

  it('of many who add a trigger at once, one does', async ({ registry }) => {
    const saved = await Promise.all(Array.from({ length: 8 }, () => registry.saveTrigger(order('a'))))
    expect(saved.filter(({ type }) => type === 'added')).toHaveLength(1)
    expect(new Set(saved.map(({ trigger }) => trigger.incarnation)).size).toBe(1)
  })

  it('triggers are listed in pages, in byte order of their ids', async ({ registry }) => {
    for (const id of ['b', 'ä', 'a']) await registry.saveTrigger(order(id))
    const ids = async (page: { after?: string; limit?: number }) =>
      (await registry.triggers(page)).map(({ triggerId }) => triggerId)
    expect(await ids({})).toEqual(['a', 'b', 'ä'])
    expect(await ids({ limit: 2 })).toEqual(['a', 'b'])
    expect(await ids({ after: 'a', limit: 1 })).toEqual(['b'])
    await refused(registry.triggers({ limit: 0 }), 'usage')
  })

  it('ids and names are texts that a column takes', async ({ registry }) => {
    for (const text of ['', ' ', 'a\u0000b', 'a\ud800', 'x'.repeat(513)]) {
      await refused(registry.saveTrigger(order(text)), 'trigger_invalid')
      const source = { type: 'event', name: text } as const
      await refused(registry.saveTrigger(order('a', { source })), 'trigger_invalid')
      await refused(registry.recordOccurrence({ ...push('k'), source }), 'trigger_invalid')
    }
    await refused(registry.recordOccurrence({ ...push('k'), occurrenceId: '' }), 'trigger_invalid')
    expect(await registry.triggers()).toEqual([])
  })

  it('an occurrence reserves one start for each trigger that it concerns, under an id that follows from both', async ({
    registry,
    clock,
  }) => {
    for (const id of ['b', 'a']) await registry.saveTrigger(order(id))
    await registry.saveTrigger(order('other', { source: { type: 'event', name: 'pull' } }))
    const nightly = order('nightly', { source: { type: 'schedule', cron: '0 3 * * *', timeZone: 'UTC' } })
    await registry.saveTrigger(nightly, { nextAtMs: clock.now() })
    const recorded = await registry.recordOccurrence(push('1'))
    expect(recorded.type).toBe('recorded')
    expect(triggersOf(recorded)).toEqual(['a', 'b'])
    const trigger = await registry.trigger('a')
    if (trigger === undefined) expect.fail('the trigger is gone')
    const { triggerId, incarnation, revision, start } = trigger
    expect(recorded.deliveries[0]).toEqual({
      processId: triggeredProcessId('event:push:1', trigger),
      occurrence: { ...push('1'), occurredAtMs: clock.now() },
      trigger: { triggerId, incarnation, revision, start },
      status: 'reserved',
      dueAtMs: clock.now() + TRIGGERS.firstTryMs,
      failures: 0,
      reservedAtMs: clock.now(),
      version: 1,
    })
    expect(await registry.deliveriesOf('event:push:1')).toEqual(recorded.deliveries)
  })

  it('the same occurrence again reserves nothing, whatever the triggers are by then (§6 #213)', async ({
    registry,
    clock,
  }) => {
    await registry.saveTrigger(order('a'))
    const first = await registry.recordOccurrence(push('1'))
    await registry.saveTrigger(order('a', { start: { kind: 'deploy' } }))
    await registry.saveTrigger(order('b'))
    clock.advance(5)
    const again = await registry.recordOccurrence(push('1'))
    expect(again).toEqual({ ...first, type: 'known' })
    await refused(registry.recordOccurrence(push('1', 'something else')), 'trigger_occurrence_conflict')
  })

  it('of many who record one occurrence, one reserves its starts (§6 #213)', async ({ registry }) => {
    for (const id of ['a', 'b']) await registry.saveTrigger(order(id))
    const recorded = await Promise.all(Array.from({ length: 8 }, () => registry.recordOccurrence(push('1'))))
    expect(recorded.filter(({ type }) => type === 'recorded')).toHaveLength(1)
    for (const each of recorded) expect(triggersOf(each)).toEqual(['a', 'b'])
    expect(await registry.deliveriesOf('event:push:1')).toHaveLength(2)
  })

  it('what was reserved is started by the trigger as it was then, though that was changed or removed (§6 #210)', async ({
    registry,
    clock,
  }) => {
    for (const id of ['a', 'b']) await registry.saveTrigger(order(id))
    const { deliveries } = await registry.recordOccurrence(push('1'))
    await registry.saveTrigger(order('a', { start: { kind: 'deploy' } }))
    expect(await registry.removeTrigger('b')).toBe(true)
    expect(await registry.removeTrigger('b')).toBe(false)
    expect(await registry.dueDeliveries()).toEqual([])
    clock.advance(TRIGGERS.firstTryMs)
    expect((await registry.dueDeliveries()).toSorted(byTrigger)).toEqual(deliveries)
  })

  it('a paused trigger reserves nothing, and what occurs meanwhile is not made up for', async ({
    registry,
  }) => {
    await registry.saveTrigger(order('a'))
    expect(await registry.pauseTrigger('a', true)).toMatchObject({ isPaused: true, revision: 2 })
    expect(await registry.pauseTrigger('a', true)).toMatchObject({ isPaused: true, revision: 2 })
    expect(triggersOf(await registry.recordOccurrence(push('1')))).toEqual([])
    await registry.pauseTrigger('a', false)
    expect(triggersOf(await registry.recordOccurrence(push('1')))).toEqual([])
    expect(triggersOf(await registry.recordOccurrence(push('2')))).toEqual(['a'])
    await refused(registry.pauseTrigger('none', true), 'trigger_unknown')
  })

  it('a trigger that is removed and added again is another one', async ({ registry }) => {
    const { trigger } = await registry.saveTrigger(order('a'))
    await registry.removeTrigger('a')
    const again = await registry.saveTrigger(order('a'))
    expect(again).toMatchObject({ type: 'added', trigger: { revision: 1 } })
    expect(again.trigger.incarnation).not.toBe(trigger.incarnation)
  })

  it('a start that failed is tried again, ever more rarely, and given up after a week', async ({
    registry,
    clock,
  }) => {
    await registry.saveTrigger(order('a'))
    const { deliveries } = await registry.recordOccurrence({ ...push('1'), isDueAtOnce: true })
    const [{ processId } = expect.fail('nothing is reserved')] = deliveries
    const fail = () => registry.settleDelivery(processId, { type: 'not_started', reason: 'no \u0000 engine' })
    expect(await registry.msUntilTriggerDue()).toBe(0)
    for (const delay of [1_000, 2_000, 4_000]) {
      expect(await fail()).toMatchObject({ status: 'reserved', reason: 'no  engine' })
      expect(await registry.msUntilTriggerDue()).toBe(delay)
      clock.advance(delay)
    }
    clock.advance(TRIGGERS.expiryMs)
    expect(await fail()).toMatchObject({ status: 'failed', failures: 4 })
    expect(await registry.msUntilTriggerDue()).toBeUndefined()
    expect(await fail()).toBeUndefined()
  })

  it('what is started is settled once, and is no longer due (§6 #211)', async ({ registry, clock }) => {
    await registry.saveTrigger(order('a'))
    const { deliveries } = await registry.recordOccurrence(push('1'))
    const [{ processId } = expect.fail('nothing is reserved')] = deliveries
    const settle = () => registry.settleDelivery(processId, { type: 'started' })
    const settled = await Promise.all([settle(), settle()])
    expect(settled.filter(one => one !== undefined)).toMatchObject([{ status: 'started', version: 2 }])
    clock.advance(TRIGGERS.firstTryMs)
    expect(await registry.dueDeliveries()).toEqual([])
    expect(await registry.settleDelivery('unknown', { type: 'started' })).toBeUndefined()
  })

  it('of many who settle a delivery at once one hears that it has (§6 #211)', async ({ registry }) => {
    await registry.saveTrigger(order('a'))
    for (let round = 0; round < 5; round++) {
      const { deliveries } = await registry.recordOccurrence(push(`${round}`))
      const [{ processId } = expect.fail('nothing is reserved')] = deliveries
      const settle = () => registry.settleDelivery(processId, { type: 'started' })
      const settled = await Promise.all(Array.from({ length: 8 }, settle))
      expect(settled.filter(one => one !== undefined)).toHaveLength(1)
    }
  })

  it('with its process a delivery is pruned; the occurrence stays known, as a tombstone does (§6 #211)', async world => {
    const { registry, clock } = world
    await registry.saveTrigger(order('a'))
    const recorded = await registry.recordOccurrence(push('1'))
    const id = await startDelivered(world, recorded)
    await registry.settleDelivery(id, { type: 'started' })
    await registry.completeWithLease(await world.run(id), COMPLETED)
    clock.advance(1)
    await registry.prune({ before: clock.now() })
    expect(await registry.deliveriesOf('event:push:1')).toEqual([])
    expect(await registry.recordOccurrence(push('1'))).toMatchObject({ type: 'known', deliveries: [] })
    await registry.compactTombstones(clock.now())
    expect(await registry.recordOccurrence(push('1'))).toMatchObject({ type: 'recorded' })
  })

  it('an occurrence is kept as long as something of it is reserved or there', async ({ registry, clock }) => {
    await registry.saveTrigger(order('a'))
    const { deliveries } = await registry.recordOccurrence(push('1'))
    clock.advance(1)
    await registry.compactTombstones(clock.now())
    expect(await registry.deliveriesOf('event:push:1')).toEqual(deliveries)
  })

  it('a payload that is too large is refused, and nothing is recorded', async ({ registry }) => {
    await refused(registry.recordOccurrence(push('1', 'x'.repeat(17 * 1024 * 1024))), 'payload_too_large')
    expect(await registry.recordOccurrence(push('1'))).toMatchObject({ type: 'recorded' })
  })

  it('triggers and what is reserved outlive a restart', async ({ registry, reopen }) => {
    const { trigger } = await registry.saveTrigger(order('a'))
    const { deliveries } = await registry.recordOccurrence(push('1'))
    const again = await reopen?.()
    if (again === undefined) return
    expect(await again.trigger('a')).toEqual(trigger)
    expect(await again.deliveriesOf('event:push:1')).toEqual(deliveries)
  })
}

const byTrigger = (left: { readonly trigger: { readonly triggerId: string } }, right: typeof left): number =>
  left.trigger.triggerId < right.trigger.triggerId ? -1 : 1
