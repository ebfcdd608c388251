import { expect } from 'vitest'
import type { BeginAttemptRequest } from '../../model/attempt.ts'
import { ANA, BEN, COMPLETED, EXTERNAL, registration, TTL } from './fixtures.ts'
import { expectFold } from './fold.ts'
import type { Case } from './harness.ts'

const FIRST: BeginAttemptRequest = { worker: ANA, attempt: 'one', ttlMs: TTL }

export function beginNewCases(it: Case): void {
  it('a new rerunnable row is leased and entered from its first moment on', async ({ registry, clock }) => {
    const { type, record, begun } = await registry.registerAndBegin(registration(), FIRST)
    expect(type).toBe('registered')
    expect(begun).toMatchObject({
      journal: [],
      lease: { fencingToken: 1 },
      process: { record },
    })
    expect(await registry.get('p')).toEqual({ ...record, changeSeq: expect.any(Number) })
    expect(record).toMatchObject({
      attempts: 1,
      lastSequence: 1,
      firstStarted: { owner: ANA, attempt: 'one', fence: 1, startedAtMs: clock.now() },
    })
    expect(await registry.getLease('p')).toEqual(begun?.lease)
    expect((await registry.eventsAfter('p', 0)).map(event => event.eventType)).toEqual([
      'process.first_started',
    ])
    expect(await registry.msUntilDue()).toBe(TTL + 2_000)
  })

  it('its attempt writes and ends as any other does', async world => {
    const { registry } = world
    const { begun } = await registry.registerAndBegin(registration(), FIRST)
    const lease = begun?.lease ?? expect.fail('it was to be begun')
    expect(await registry.enterBody(lease, ANA)).toEqual({ type: 'entered' })
    expect(await registry.renew(lease, TTL)).toMatchObject({ fencingToken: 1 })
    expect(await registry.completeWithLease(lease, COMPLETED)).toMatchObject({ status: 'completed' })
    expect(await registry.msUntilDue()).toBeUndefined()
    await expectFold(world, 'p')
  })

  it('an owner-bound one is leased, and entered only by its attempt (§6 #177)', async ({
    registry,
    clock,
    begin,
  }) => {
    const { begun } = await registry.registerAndBegin(registration({ disposition: 'owner_bound' }), FIRST)
    expect(begun).toMatchObject({ type: 'run' })
    expect(await registry.get('p')).not.toHaveProperty('firstStarted')
    // Its holder is gone before the body began: nobody has to say what it did, and another one runs it.
    clock.advance(TTL)
    expect(await begin('p', { worker: BEN })).toMatchObject({ type: 'run' })
  })

  it('an attempt that leaves nothing but its row goes on elsewhere (§6 #178)', async ({
    registry,
    clock,
    run,
  }) => {
    await registry.registerAndBegin(registration(), FIRST)
    clock.advance(TTL)
    expect(await run('p', { worker: BEN })).toMatchObject({ fencingToken: 2 })
    expect(await registry.get('p')).toMatchObject({ attempts: 2, firstStarted: { owner: ANA } })
  })

  it('a row that exists is returned as it is, and nothing is begun', async ({ registry, register }) => {
    const id = await register()
    const before = await registry.get(id)
    const answer = await registry.registerAndBegin(registration(), FIRST)
    expect(answer).toEqual({ type: 'existing', record: before })
    expect(await registry.getLease(id)).toBeUndefined()
    await expect(
      registry.registerAndBegin(registration({ disposition: 'owner_bound' }), FIRST),
    ).rejects.toMatchObject({ code: 'process_registration_conflict' })
  })

  it('of two at once one begins it (§6 #13)', async ({ registry }) => {
    const both = await Promise.all([
      registry.registerAndBegin(registration(), FIRST),
      registry.registerAndBegin(registration(), { ...FIRST, worker: BEN, attempt: 'two' }),
    ])
    expect(both.map(({ type }) => type).sort()).toEqual(['existing', 'registered'])
    expect(both.filter(({ begun }) => begun !== undefined)).toHaveLength(1)
    expect(await registry.get('p')).toMatchObject({ attempts: 1 })
  })

  it('what this caller may not run is registered, and due for those who may (§6 #163, #171)', async ({
    registry,
  }) => {
    const external = await registry.registerAndBegin(registration({ ...EXTERNAL, id: 'e' }), FIRST)
    expect(external).toMatchObject({ type: 'registered', record: { attempts: 0 } })
    expect(external.begun).toBeUndefined()
    expect(await registry.msUntilDue()).toBeUndefined()
    const provenance = { originator: { type: 'host' as const }, hostProfileId: 'laptop' }
    const other = await registry.registerAndBegin(registration({ id: 'o', provenance }), FIRST)
    expect(other.begun).toBeUndefined()
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('an id that was pruned begins anew above its old fence', async ({ registry, register, start }) => {
    const id = await register({ id: 'p' })
    await registry.completeWithLease(await start(id), COMPLETED)
    await registry.prune({ before: Number.MAX_SAFE_INTEGER })
    const { begun } = await registry.registerAndBegin(registration(), FIRST, { reuse: true })
    expect(begun?.lease.fencingToken).toBe(2)
    expect(begun?.process.record.lastSequence).toBeGreaterThan(2)
    const lease = begun?.lease ?? expect.fail('it was to be begun')
    expect(await registry.completeWithLease(lease, COMPLETED)).toMatchObject({ status: 'completed' })
  })
}
