import { expect } from 'vitest'
import { RESERVED_EVENT_TYPES } from '../../model/event.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import { COMPLETED } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const SCHEMA = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }
const DECLARED = {
  eventTypes: [
    { name: 'note', payloadSchema: SCHEMA },
    { name: 'any', payloadSchema: true },
  ],
}
const note = (text: string, replayKey?: string) => ({
  eventType: 'note',
  payload: { text },
  ...(replayKey === undefined ? {} : { replayKey }),
})

export function eventCases(it: Case): void {
  it('sequences start at 1 and have no gap (§6 #26)', async ({ registry, register, record }) => {
    const id = await register(DECLARED)
    const appended = [await registry.append(id, note('a')), await registry.append(id, note('b'))]
    expect(appended.map(({ type, event }) => [type, event.sequence])).toEqual([
      ['appended', 1],
      ['appended', 2],
    ])
    expect(await record(id)).toMatchObject({ lastSequence: 2 })
  })

  it('an event says what it is, where it comes from and under which key (§6 #36)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register(DECLARED)
    clock.advance(9)
    const { event } = await registry.append(id, note('a', 'k'))
    expect(event).toEqual({
      processId: id,
      sequence: 1,
      eventType: 'note',
      payload: { text: 'a' },
      occurredAtMs: clock.now(),
      invocation: {
        scope: { sessionId: 'runtime' },
        subject: { processId: id, sequence: 1, eventType: 'note' },
        causedBy: { type: 'process', processId: id },
        replay: { key: 'k' },
      },
    })
    expect(await registry.eventsAfter(id, 0)).toEqual([event])
    expect(await registry.get(id)).toMatchObject({ updatedAtMs: clock.now() })
  })

  it('any JSON comes back as it went in', async ({ registry, register }) => {
    const id = await register(DECLARED)
    const payload = { text: 'é🦊\u0000"\\', n: [1e21, 0.1, -5, null, true, {}, []], '': { __proto__x: 1 } }
    const { event } = await registry.append(id, { eventType: 'any', payload })
    expect(event.payload).toEqual(payload)
    expect((await registry.eventsAfter(id, 0))[0]?.payload).toEqual(payload)
  })

  it('a payload that does not fit its schema is refused, naming the type (§6 #27)', async world => {
    const id = await world.register(DECLARED)
    await unchanged(world, id, async () => {
      const append = world.registry.append(id, { eventType: 'note', payload: { txt: 'a' } })
      await refused(append, 'process_event_schema')
      await expect(append).rejects.toThrow('"note"')
    })
    expect(await world.registry.eventsAfter(id, 0)).toEqual([])
  })

  it('an undeclared type is refused, naming it (§6 #28)', async world => {
    const id = await world.register(DECLARED)
    await unchanged(world, id, async () => {
      const append = world.registry.append(id, { eventType: 'nothing', payload: null })
      await refused(append, 'process_event_undeclared')
      await expect(append).rejects.toThrow('"nothing"')
    })
  })

  it('the same event under the same key is one event (§6 #29)', async world => {
    const { registry, clock } = world
    const id = await world.register(DECLARED)
    const { event } = await registry.append(id, note('a', 'k'))
    clock.advance(9)
    await unchanged(world, id, async () => {
      expect(await registry.append(id, note('a', 'k'))).toEqual({ type: 'replayed', event })
    })
    expect(await registry.eventsAfter(id, 0)).toEqual([event])
  })

  it('another payload under the same key is a conflict (§6 #30)', async world => {
    const id = await world.register(DECLARED)
    await world.registry.append(id, note('a', 'k'))
    await unchanged(world, id, async () => {
      await refused(world.registry.append(id, note('b', 'k')), 'process_event_replay_conflict')
      const other = { eventType: 'any', payload: { text: 'a' }, replayKey: 'k' }
      await refused(world.registry.append(id, other), 'process_event_replay_conflict')
    })
  })

  it('−0 appended and +0 retried are the same event (§6 #31)', async ({ registry, register }) => {
    const id = await register(DECLARED)
    await registry.append(id, { eventType: 'any', payload: { at: -0 }, replayKey: 'k' })
    const again = await registry.append(id, { eventType: 'any', payload: { at: 0 }, replayKey: 'k' })
    expect(again.type).toBe('replayed')
  })

  it('the same key on two processes is two events', async ({ registry, register }) => {
    for (const id of ['a', 'b']) {
      await register({ id, ...DECLARED })
      expect((await registry.append(id, note('a', 'k'))).type).toBe('appended')
    }
  })

  it('an event without key is a new one each time', async ({ registry, register }) => {
    const id = await register(DECLARED)
    for (let count = 0; count < 3; count++) await registry.append(id, note('a'))
    expect(await registry.eventsAfter(id, 0)).toHaveLength(3)
  })

  it('events after one are the later ones, ascending (§6 #32)', async ({ registry, register }) => {
    const id = await register(DECLARED)
    for (const text of ['a', 'b', 'c']) await registry.append(id, note(text))
    const after = async (sequence: number, limit?: number) =>
      (await registry.eventsAfter(id, sequence, limit)).map(event => event.sequence)
    expect(await after(0)).toEqual([1, 2, 3])
    expect(await after(1)).toEqual([2, 3])
    expect(await after(1, 1)).toEqual([2])
    expect(await after(3)).toEqual([])
    expect(await after(99)).toEqual([])
  })

  it('the first event of a type after one is found by both', async ({ registry, register }) => {
    const id = await register()
    for (const eventType of ['process.waiting', 'note', 'process.waiting', 'note'])
      await registry.append(id, { eventType, payload: null })
    const found = async (after: number) => (await registry.findEvent(id, 'note', after))?.sequence
    expect([await found(0), await found(1), await found(2), await found(3), await found(4)]).toEqual([
      2,
      2,
      4,
      4,
      undefined,
    ])
  })

  it('the recent events are the last ones, ascending (§6 #35)', async ({ registry, register }) => {
    const id = await register(DECLARED)
    for (const text of ['a', 'b', 'c', 'd', 'e']) await registry.append(id, note(text))
    const recent = async (limit?: number) =>
      (await registry.recentEvents(id, limit)).map(event => event.sequence)
    expect(await recent(2)).toEqual([4, 5])
    expect(await recent()).toEqual([1, 2, 3, 4, 5])
    expect(await recent(100)).toEqual([1, 2, 3, 4, 5])
  })

  it('the recent events are 32 unless told otherwise', async ({ registry, register }) => {
    const id = await register(DECLARED)
    await Promise.all(Array.from({ length: 40 }, () => registry.append(id, note('x'))))
    expect(await registry.recentEvents(id)).toHaveLength(32)
  })

  it('a cancel event without key is refused (§6 #37)', async world => {
    const id = await world.register(DECLARED)
    await unchanged(world, id, () =>
      refused(
        world.registry.append(id, { eventType: 'process.cancel_requested', payload: { reason: null } }),
        'process_event_replay_required',
      ),
    )
  })

  for (const status of ['completed', 'failed', 'cancelled', 'abandoned']) {
    it(`process.${status} cannot be appended: only complete ends a process (§6 #38, #40)`, async world => {
      const id = await world.register(DECLARED)
      const request = { eventType: `process.${status}`, payload: null }
      await unchanged(world, id, async () => {
        await refused(world.registry.append(id, request), 'process_already_terminal')
        await refused(world.registry.append(id, { ...request, replayKey: 'k' }), 'process_already_terminal')
      })
    })
  }

  for (const eventType of Object.values(RESERVED_EVENT_TYPES)) {
    it(`${eventType} is written by its own operation only`, async ({ registry, register }) => {
      const id = await register(DECLARED)
      await refused(registry.append(id, { eventType, payload: null }), 'process_event_undeclared')
    })
  }

  it('an ended process can still be annotated', async ({ registry, register, run, record }) => {
    const id = await register(DECLARED)
    await registry.completeWithLease(await run(id), COMPLETED)
    expect(await registry.append(id, note('late'))).toMatchObject({
      type: 'appended',
      event: { sequence: 2 },
    })
    expect(await record(id)).toMatchObject({ status: 'completed', outcome: COMPLETED, lastSequence: 2 })
  })

  it('a payload above the limit is refused', async ({ registry, register }) => {
    const id = await register(DECLARED)
    await refused(registry.append(id, note('x'.repeat(MAX_PAYLOAD_BYTES))), 'payload_too_large')
    expect(await registry.eventsAfter(id, 0)).toEqual([])
  })
}
