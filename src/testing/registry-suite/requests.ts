import { expect } from 'vitest'
import { replayKeys } from '../../model/event.ts'
import { ANA, COMPLETED, EXTERNAL, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

export function requestCases(it: Case): void {
  it('a cancel is an event, and the row remembers it', async ({ registry, clock, register }) => {
    const id = await register()
    const { record, isDue } = await registry.requestCancel(id, 'enough')
    expect(isDue).toBe(true)
    expect(record).toMatchObject({
      status: 'running',
      cancelRequest: { reason: 'enough', requestedAtMs: clock.now() },
    })
    expect(await registry.eventsAfter(id, 0)).toMatchObject([
      { eventType: 'process.cancel_requested', payload: { reason: 'enough' }, sequence: 1 },
    ])
  })

  it('a cancel without a reason has the reason null in its event, and none on the row', async world => {
    const id = await world.register()
    const { record } = await world.registry.requestCancel(id)
    expect(record.cancelRequest).toEqual({ requestedAtMs: world.clock.now() })
    expect(await world.registry.eventsAfter(id, 0)).toMatchObject([{ payload: { reason: null } }])
  })

  it('the same cancel again changes nothing (§6 #196)', async world => {
    const id = await world.register()
    await world.registry.requestCancel(id, 'enough')
    world.clock.advance(3)
    await unchanged(world, id, async () => {
      expect((await world.registry.requestCancel(id, 'enough')).isDue).toBe(false)
    })
  })

  it('a cancel for another reason is another event; the row keeps the first (§6 #196)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    await registry.requestCancel(id, 'first')
    clock.advance(3)
    const { record } = await registry.requestCancel(id, 'second')
    expect(record.cancelRequest).toEqual({ reason: 'first', requestedAtMs: clock.now() - 3 })
    expect(await world.eventTypes(id)).toEqual(['process.cancel_requested', 'process.cancel_requested'])
  })

  it('the cancel event, appended by its key, is a cancel like any other', async ({
    registry,
    register,
    begin,
  }) => {
    const id = await register()
    await registry.append(id, {
      eventType: 'process.cancel_requested',
      payload: { reason: 'enough' },
      replayKey: replayKeys.cancelRequested(id, 'enough'),
    })
    expect(await registry.get(id)).toMatchObject({ cancelRequest: { reason: 'enough' } })
    expect(await registry.msUntilDue()).toBe(0)
    expect(await begin(id)).toMatchObject({
      type: 'settle',
      outcome: { status: 'cancelled', message: 'enough' },
    })
  })

  it('a forced cancel is a request of its own, and adds to the first one (§6 #196)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const requestedAtMs = clock.now()
    await registry.requestCancel(id, 'enough')
    clock.advance(5)
    const forced = { requestedAtMs, reason: 'enough', forcedAtMs: clock.now() }
    for (let time = 0; time < 2; time++) {
      const { record } = await registry.requestCancel(id, 'enough', { force: true })
      expect(record.cancelRequest).toEqual(forced)
      clock.advance(5)
    }
    await registry.requestCancel(id, 'another')
    expect((await registry.get(id))?.cancelRequest).toEqual(forced)
    expect((await registry.eventsAfter(id, 0)).map(({ payload }) => payload)).toEqual([
      { reason: 'enough' },
      { reason: 'enough', force: true },
      { reason: 'another' },
    ])
  })

  it('a session cancels what it was granted, and learns nothing of the rest (§6 #198)', async world => {
    const { registry, register } = world
    const id = await register()
    const from = { sessionId: 's' }
    await unchanged(world, id, async () => {
      await refused(registry.requestCancel(id, 'stop', { from }), 'process_not_visible')
      await expect(registry.requestCancel(id, 'stop', { from })).rejects.toThrow('not visible')
      await refused(registry.requestCancel('nobody', 'stop', { from }), 'process_not_visible')
    })
    await registry.grant(from, id)
    await refused(registry.requestCancel(id, 'stop', { from: { sessionId: 't' } }), 'process_not_visible')
    const { record } = await registry.requestCancel(id, 'stop', { from })
    expect(record.cancelRequest).toMatchObject({ reason: 'stop' })
  })

  it('a cancel that is forced from the first on says both', async ({ registry, clock, register }) => {
    const id = await register()
    await registry.requestCancel(id, undefined, { force: true })
    const now = clock.now()
    expect((await registry.get(id))?.cancelRequest).toEqual({ requestedAtMs: now, forcedAtMs: now })
  })

  it('a cancel of an ended process is on record, and nobody has to act on it', async world => {
    const id = await world.register()
    await world.registry.completeWithLease(await world.run(id), COMPLETED)
    const { record, isDue } = await world.registry.requestCancel(id, 'late')
    expect({ status: record.status, outcome: record.outcome, isDue }).toEqual({
      status: 'completed',
      outcome: COMPLETED,
      isDue: false,
    })
    expect(await world.registry.msUntilDue()).toBeUndefined()
  })

  it('an abandon request is a marker: the row runs on, the event says who asked', async world => {
    const { registry, clock, register } = world
    const id = await register({ disposition: 'owner_bound' })
    const { record, isDue } = await registry.requestAbandon(id, {
      requestedBy: 'ana',
      reason: 'host is gone',
    })
    const abandonRequest = { requestedBy: 'ana', reason: 'host is gone', requestedAtMs: clock.now() }
    expect({ status: record.status, abandonRequest: record.abandonRequest, isDue }).toEqual({
      status: 'running',
      abandonRequest,
      isDue: true,
    })
    expect(await registry.eventsAfter(id, 0)).toMatchObject([
      { eventType: 'process.abandon_requested', payload: abandonRequest },
    ])
  })

  it('the first to request an abandonment stays (§6 #22)', async world => {
    const id = await world.register()
    await world.registry.requestAbandon(id, { requestedBy: 'ana' })
    world.clock.advance(3)
    await unchanged(world, id, async () => {
      const { isDue } = await world.registry.requestAbandon(id, { requestedBy: 'ben', reason: 'mine' })
      expect(isDue).toBe(false)
    })
  })

  it('an ended process cannot be abandoned (§6 #24)', async world => {
    const id = await world.register()
    await world.registry.completeWithLease(await world.run(id), COMPLETED)
    await unchanged(world, id, () =>
      refused(world.registry.requestAbandon(id, { requestedBy: 'ana' }), 'process_abandon_on_terminal'),
    )
  })

  for (const request of ['cancel', 'abandon'] as const) {
    it(`a ${request} leaves a live lease and its due time alone`, async ({ registry, register, run }) => {
      const id = await register()
      const lease = await run(id)
      const { isDue } =
        request === 'cancel'
          ? await registry.requestCancel(id)
          : await registry.requestAbandon(id, { requestedBy: 'ana' })
      expect(isDue).toBe(false)
      expect(await registry.getLease(id)).toEqual(lease)
      expect(await registry.msUntilDue()).toBe(32_000)
    })
  }

  it('an abandon request on external work under a live lease comes up when that has lapsed', async world => {
    const id = await world.register(EXTERNAL)
    await world.registry.claim(id, ANA, TTL)
    expect((await world.registry.requestAbandon(id, { requestedBy: 'ana' })).isDue).toBe(false)
    expect(await world.registry.msUntilDue()).toBe(TTL + 2_000)
  })

  it('an abandon request makes work due that somebody else owns', async ({ registry, register }) => {
    const id = await register(EXTERNAL)
    expect(await registry.msUntilDue()).toBeUndefined()
    expect((await registry.requestAbandon(id, { requestedBy: 'ana' })).isDue).toBe(true)
    expect(await registry.msUntilDue()).toBe(0)
  })
}
