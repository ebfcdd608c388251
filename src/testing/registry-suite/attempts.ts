import { expect } from 'vitest'
import { BEN, COMPLETED, EXTERNAL, owner, TTL, timer } from './fixtures.ts'
import { type Case, unchanged, type World } from './harness.ts'

/** The operating system's word on whoever held the row last. */
async function evidence({ registry }: World, id: string) {
  const holder = await registry.lastHolder(id)
  return holder?.evidence ?? expect.fail(`nobody ever held "${id}"`)
}

export function attemptCases(it: Case): void {
  it('run takes a lease for the attempt, with the first fence', async ({
    registry,
    clock,
    register,
    begin,
  }) => {
    const id = await register()
    const answer = await begin(id, { attempt: 'one' })
    if (answer.type !== 'run') expect.fail(answer.type)
    expect(answer.lease).toMatchObject({
      owner: { ownerId: 'ana:attempt:one', incarnationId: 'one' },
      fencingToken: 1,
      claimedAtMs: clock.now(),
      expiresAtMs: clock.now() + TTL,
    })
    expect(await registry.getLease(id)).toEqual(answer.lease)
    expect(answer.process.record).toMatchObject({ id, attempts: 1, status: 'running' })
    expect(await registry.get(id)).toMatchObject({ attempts: 1 })
  })

  it('a rerunnable row whose lease has lapsed runs again under the next fence (§6 #178)', async world => {
    const id = await world.register()
    await world.start(id)
    world.clock.advance(TTL)
    expect(await world.run(id)).toMatchObject({ fencingToken: 2 })
    expect(await world.record(id)).toMatchObject({ attempts: 2 })
  })

  it('a row of another host profile is not begun, and stays as it is (§6 #163)', async world => {
    const provenance = { originator: { type: 'host' as const }, hostProfileId: 'laptop' }
    const id = await world.register({ provenance })
    await unchanged(world, id, async () => {
      for (const hostProfileId of [undefined, 'server'] as const) {
        const asked = hostProfileId === undefined ? {} : { hostProfileId }
        expect(await world.begin(id, asked)).toEqual({ type: 'other_profile', recorded: 'laptop' })
      }
    })
    expect(await world.begin(id, { hostProfileId: 'laptop' })).toMatchObject({ type: 'run' })
  })

  it('an attempt of another worker is busy, and told for how long (§6 #183)', async world => {
    const id = await world.register()
    const holder = await world.start(id)
    world.clock.advance(TTL - 1)
    await unchanged(world, id, async () => {
      expect(await world.begin(id, { worker: BEN })).toEqual({ type: 'busy', holder, remainingMs: 1 })
    })
    expect(await world.registry.getLease(id)).toEqual(holder)
  })

  it('a second attempt of the same worker is busy too (§6 #182)', async ({ register, run, begin }) => {
    const id = await register()
    await run(id)
    expect((await begin(id)).type).toBe('busy')
  })

  it('the same attempt, sent twice, has one lease and counts once', async world => {
    const id = await world.register()
    const lease = await world.run(id, { attempt: 'one' })
    world.clock.advance(10)
    const again = await world.run(id, { attempt: 'one' })
    expect(again).toEqual({ ...lease, expiresAtMs: lease.expiresAtMs + 10 })
    expect(await world.record(id)).toMatchObject({ attempts: 1 })
  })

  it('a live holder proven dead is superseded before its time (§6 #99)', async world => {
    const id = await world.register()
    await world.start(id, { worker: BEN })
    expect(await world.run(id, { evidence: await evidence(world, id) })).toMatchObject({ fencingToken: 2 })
  })

  it('evidence about an earlier holder proves nothing', async world => {
    const id = await world.register()
    await world.start(id)
    const stale = await evidence(world, id)
    world.clock.advance(TTL)
    await world.start(id)
    expect((await world.begin(id, { evidence: stale })).type).toBe('busy')
  })

  it('an ended row is terminal, and nothing is claimed (§6 #179)', async world => {
    const id = await world.register()
    await world.registry.completeWithLease(await world.run(id), COMPLETED)
    await unchanged(world, id, async () => {
      expect(await world.begin(id)).toEqual({ type: 'terminal', status: 'completed' })
    })
    expect(await world.registry.getLease(id)).toBeUndefined()
  })

  it('work that somebody else owns is external, and never leased (§6 #171)', async world => {
    const id = await world.register(EXTERNAL)
    await unchanged(world, id, async () => {
      expect(await world.begin(id)).toEqual({ type: 'external' })
      expect(await world.begin(id)).toEqual({ type: 'external' })
    })
    expect(await world.registry.getLease(id)).toBeUndefined()
  })

  it('external work is abandoned on request, about nobody (§6 #172)', async ({
    registry,
    clock,
    register,
    begin,
  }) => {
    const id = await register(EXTERNAL)
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    const answer = await begin(id)
    const outcome = { status: 'abandoned', evidence: { writer: 'reconciled_request', epochMs: clock.now() } }
    expect(answer).toMatchObject({ type: 'settle', outcome })
    if (answer.type !== 'settle') return
    expect(await registry.completeWithLease(answer.lease, answer.outcome)).toMatchObject({ outcome })
  })

  it('a second sweeper does not make a request on external work forgotten', async world => {
    const { registry, clock, register, begin } = world
    const id = await register(EXTERNAL)
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    expect((await begin(id, { worker: BEN })).type).toBe('settle')
    expect(await begin(id)).toEqual({ type: 'external' })
    // The first one dies before it writes: the row has to come up again.
    clock.advance(TTL + 2_000)
    expect(await world.due()).toEqual([id])
    expect((await begin(id)).type).toBe('settle')
  })

  it('an owner-bound row that has not started runs, whoever comes (§6 #177)', async world => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.run(id, { worker: BEN })
    world.clock.advance(TTL)
    expect(await world.run(id)).toMatchObject({ fencingToken: 2 })
  })

  it('an owner-bound row is abandoned on proof of death, naming the holder (§6 #173)', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    const revenant = await world.start(id, { worker: BEN })
    const answer = await world.begin(id, { evidence: await evidence(world, id) })
    const sweep = { writer: 'sweep', owner: revenant.owner, epochMs: clock.now() }
    expect(answer).toMatchObject({ type: 'settle', outcome: { status: 'abandoned', evidence: sweep } })
    if (answer.type !== 'settle') return
    await registry.completeWithLease(answer.lease, answer.outcome)
    await expect(registry.completeWithLease(revenant, COMPLETED)).rejects.toThrow('missing or expired')
    expect(await registry.get(id)).toMatchObject({ status: 'abandoned', outcome: { evidence: sweep } })
  })

  it('an owner-bound row is abandoned on request once its lease has lapsed, naming the starter (§6 #175)', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id, { worker: BEN })
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    expect((await world.begin(id)).type).toBe('busy')
    clock.advance(TTL)
    const evidence = { writer: 'reconciled_request', owner: BEN, epochMs: clock.now() }
    expect(await world.begin(id)).toMatchObject({ type: 'settle', outcome: { evidence } })
  })

  it('a cancel before the first attempt is settled without a body (§6 #194)', async world => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.registry.requestCancel(id, 'enough')
    const answer = await world.begin(id)
    expect(answer).toMatchObject({ type: 'settle', outcome: { status: 'cancelled', message: 'enough' } })
    if (answer.type !== 'settle') return
    await world.registry.completeWithLease(answer.lease, answer.outcome)
    const record = await world.record(id)
    expect(record).toMatchObject({ status: 'cancelled' })
    expect(record).not.toHaveProperty('firstStarted')
  })

  it('an attempt that lapsed is spent, and the last one spent gives up (§6 #188)', async world => {
    const id = await world.register({ maxAttempts: 2 })
    await world.start(id)
    world.clock.advance(TTL)
    await world.start(id)
    world.clock.advance(TTL)
    expect(await world.begin(id)).toMatchObject({
      type: 'settle',
      outcome: { status: 'abandoned', evidence: { writer: 'engine_gave_up', owner: { ownerId: 'ana' } } },
    })
  })

  for (const [end, left] of [
    ['transient_error', 'settle'],
    ['shutdown', 'run'],
  ] as const) {
    it(`with a budget of one, an attempt that ended by ${end} leaves ${left}`, async ({
      registry,
      ...world
    }) => {
      const id = await world.register({ maxAttempts: 1 })
      await registry.endAttempt(await world.start(id), end)
      expect((await world.begin(id)).type).toBe(left)
    })
  }

  it('with a budget of one, a park leaves the attempt to come', async ({ registry, clock, ...world }) => {
    const id = await world.register({ maxAttempts: 1 })
    await registry.park(await world.start(id), [timer('nap', clock.now(), clock.now() + 5)])
    clock.advance(5)
    expect((await world.begin(id)).type).toBe('run')
  })

  it('the last holder is whom the operating system is asked about, then the starter', async ({
    registry,
    ...world
  }) => {
    const id = await world.register()
    expect(await registry.lastHolder(id)).toBeUndefined()
    const carl = owner('carl')
    const lease = await world.start(id, { worker: carl })
    const named = { incarnationId: lease.owner.incarnationId, fence: 1 }
    expect(await registry.lastHolder(id)).toEqual({ owner: lease.owner, evidence: named })
    await registry.endAttempt(lease, 'shutdown')
    expect(await registry.lastHolder(id)).toEqual({ owner: carl, evidence: named })
  })
}
