import { expect } from 'vitest'
import { BEN, TTL } from './fixtures.ts'
import type { Case, World } from './harness.ts'

/** An owner-bound process whose holder has not been heard of since its lease ran out. */
async function silent(world: World) {
  const id = await world.register({ disposition: 'owner_bound' })
  const lease = await world.start(id)
  world.clock.advance(TTL)
  expect(await world.begin(id, { worker: BEN })).toEqual({ type: 'silent' })
  return { id, lease }
}

export function silenceCases(it: Case): void {
  it('a started owner-bound row without evidence is silent: nothing ends, nothing is claimed (§6 #174)', async world => {
    const { id, lease } = await silent(world)
    for (let sweep = 0; sweep < 3; sweep++) {
      world.clock.advance(86_400_000)
      expect(await world.begin(id)).toEqual({ type: 'silent' })
    }
    expect(await world.record(id)).toMatchObject({ status: 'running', attempts: 1 })
    expect(await world.registry.getLease(id)).toEqual(lease)
  })

  it('it says so once, and the row shows since when', async world => {
    const { id } = await silent(world)
    const silentSinceMs = world.clock.now()
    world.clock.advance(1_000)
    await world.begin(id)
    expect(await world.record(id)).toMatchObject({ silentSinceMs })
    expect(await world.eventTypes(id)).toEqual(['process.first_started', 'process.owner_silent'])
  })

  it('a row whose attempt ended without outcome is silent at once', async ({ registry, ...world }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    await registry.endAttempt(await world.start(id), 'shutdown')
    expect(await world.begin(id)).toEqual({ type: 'silent' })
  })

  it('a cancel does not end it: nobody knows what the body did', async world => {
    const { id } = await silent(world)
    await world.registry.requestCancel(id)
    expect(await world.registry.msUntilDue()).toBe(0)
    expect(await world.begin(id)).toEqual({ type: 'silent' })
    expect(await world.registry.msUntilDue()).toBeUndefined()
  })

  it('an abandon request ends it', async world => {
    const { id } = await silent(world)
    expect((await world.registry.requestAbandon(id, { requestedBy: 'ana' })).isDue).toBe(true)
    const answer = await world.begin(id)
    if (answer.type !== 'settle') expect.fail(answer.type)
    const record = await world.registry.completeWithLease(answer.lease, answer.outcome)
    expect(record).toMatchObject({ status: 'abandoned' })
    expect(record).not.toHaveProperty('silentSinceMs')
  })

  it('a settling of it that was never written leaves it silent', async world => {
    const { id } = await silent(world)
    const { silentSinceMs } = await world.record(id)
    await world.registry.requestAbandon(id, { requestedBy: 'ana' })
    for (let settler = 0; settler < 2; settler++) {
      expect((await world.begin(id)).type).toBe('settle')
      world.clock.advance(TTL)
    }
    expect(await world.record(id)).toMatchObject({ status: 'running', silentSinceMs })
    expect((await world.eventTypes(id)).filter(type => type === 'process.owner_silent')).toHaveLength(1)
  })

  it('its own attempt, begun again, is the owner back', async ({ registry, clock, ...world }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id, { attempt: 'one' })
    clock.advance(TTL)
    expect((await world.begin(id, { worker: BEN })).type).toBe('silent')
    await world.run(id, { attempt: 'one' })
    expect(await world.record(id)).not.toHaveProperty('silentSinceMs')
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({ eventType: 'process.owner_back' })
  })

  it('its owner may come back, say so, and finish', async world => {
    const { registry } = world
    const { id, lease } = await silent(world)
    const silentSinceMs = world.clock.now()
    world.clock.advance(5_000)
    const again = await registry.reacquire(lease, TTL)
    const record = await world.record(id)
    expect(record).not.toHaveProperty('silentSinceMs')
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({
      eventType: 'process.owner_back',
      payload: { silentSinceMs },
    })
    expect(await registry.msUntilDue()).toBe(TTL + 2_000)
    expect((await world.begin(id, { worker: BEN })).type).toBe('busy')
    // The backend's run was told to wait, so its end is news to it.
    await registry.completeWithLease(again, { status: 'completed', value: 'late but true' })
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('an owner that comes back before anybody asked says nothing', async ({ registry, clock, ...world }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id)
    clock.advance(TTL)
    await registry.reacquire(lease, TTL)
    expect(await world.eventTypes(id)).toEqual(['process.first_started'])
  })

  it('an owner can fall silent again', async world => {
    const { id, lease } = await silent(world)
    await world.registry.reacquire(lease, TTL)
    world.clock.advance(TTL)
    expect(await world.begin(id)).toEqual({ type: 'silent' })
    expect(await world.eventTypes(id)).toEqual([
      'process.first_started',
      'process.owner_silent',
      'process.owner_back',
      'process.owner_silent',
    ])
  })
}
