import { expect } from 'vitest'
import { ANA, BEN, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

export function bodyCases(it: Case): void {
  it('the first attempt writes who started the process, with an event', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register()
    const lease = await world.run(id, { attempt: 'one' })
    clock.advance(4)
    expect(await registry.enterBody(lease, ANA)).toEqual({ type: 'entered' })
    const firstStarted = { owner: ANA, attempt: 'one', fence: 1, startedAtMs: clock.now() }
    expect(await world.record(id)).toMatchObject({ firstStarted })
    expect(await registry.eventsAfter(id, 0)).toMatchObject([
      { eventType: 'process.first_started', payload: firstStarted },
    ])
  })

  it('a later attempt enters, and changes nothing about who started it (§6 #21)', async world => {
    const id = await world.register()
    await world.start(id)
    world.clock.advance(TTL)
    const second = await world.run(id, { worker: BEN })
    await unchanged(world, id, async () => {
      expect(await world.registry.enterBody(second, BEN)).toEqual({ type: 'entered' })
    })
  })

  it('the first attempt is told what stands in the journal, and a later one reads it', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const request = { worker: ANA, attempt: 'one', ttlMs: TTL }
    expect(await registry.beginAttempt(id, request)).toMatchObject({ type: 'run', journal: [] })
    clock.advance(TTL)
    const second = await registry.beginAttempt(id, { ...request, attempt: 'two' })
    expect(second).toMatchObject({ type: 'run', lease: { fencingToken: 2 } })
    expect(second).not.toHaveProperty('journal')
  })

  it('a lease that lapsed does not enter', async ({ registry, clock, register, run, record }) => {
    const id = await register()
    const lease = await run(id)
    clock.advance(TTL)
    await refused(registry.enterBody(lease, ANA), 'process_lease_lost')
    expect(await record(id)).not.toHaveProperty('firstStarted')
  })

  it('a woken zombie does not enter an owner-bound body that another attempt may start', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    const zombie = await world.run(id, { worker: BEN })
    clock.advance(TTL)
    await world.start(id)
    await refused(registry.enterBody(zombie, BEN), 'process_lease_lost')
    await refused(registry.reacquire(zombie, TTL), 'process_lease_lost')
    expect(await world.record(id)).toMatchObject({ firstStarted: { owner: ANA } })
  })

  it('an owner-bound body is refused to every attempt but the one that started it', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id)
    clock.advance(TTL)
    // beginAttempt would answer silent; the contract's claim does not ask, and still cannot get in.
    const claimed = await registry.claim(id, BEN, TTL)
    if (claimed.type !== 'acquired') expect.fail(claimed.type)
    await unchanged(world, id, async () => {
      expect(await registry.enterBody(claimed.lease, BEN)).toEqual({ type: 'refused' })
    })
  })

  it('the attempt that started an owner-bound body goes on after it slept through its lease', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id)
    clock.advance(TTL)
    const again = await registry.reacquire(lease, TTL)
    expect(again).toMatchObject({ fencingToken: 2, owner: lease.owner })
    expect(await registry.enterBody(again, ANA)).toEqual({ type: 'entered' })
    expect(await registry.completeWithLease(again, { status: 'completed', value: 1 })).toMatchObject({
      status: 'completed',
    })
  })

  for (const end of ['shutdown', 'transient_error'] as const) {
    it(`ending an attempt by ${end} releases its lease and keeps the fence`, async ({
      registry,
      clock,
      ...world
    }) => {
      const id = await world.register()
      const lease = await world.start(id)
      await registry.endAttempt(lease, end)
      expect(await registry.getLease(id)).toBeUndefined()
      await refused(registry.renew(lease, TTL), 'process_lease_lost')
      clock.advance(1_000)
      expect(await world.run(id)).toMatchObject({ fencingToken: 2 })
    })

    it(`ending a lost attempt by ${end} does nothing to its successor`, async world => {
      const { registry, clock } = world
      const id = await world.register()
      const lost = await world.start(id)
      clock.advance(TTL)
      const successor = await world.start(id)
      await unchanged(world, id, () => registry.endAttempt(lost, end))
      expect(await registry.getLease(id)).toEqual(successor)
    })
  }
}
