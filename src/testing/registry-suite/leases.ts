import { expect } from 'vitest'
import type { LeaseToken } from '../../model/ids.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { ANA, BEN, COMPLETED, owner, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

async function claim(registry: ProcessRegistry, id: string, by = ANA, ttlMs = TTL): Promise<ProcessLease> {
  const outcome = await registry.claim(id, by, ttlMs)
  return outcome.type === 'acquired'
    ? outcome.lease
    : expect.fail(`"${id}" is held by ${outcome.holder.owner.ownerId}`)
}

export function leaseCases(it: Case): void {
  it("another's live lease is busy, and shown (§6 #90)", async ({ registry, register }) => {
    const id = await register()
    const holder = await claim(registry, id, BEN)
    expect(await registry.claim(id, ANA, TTL)).toEqual({ type: 'busy', holder })
  })

  it('its own incarnation extends a live lease: same token, same fence (§6 #91)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const lease = await claim(registry, id)
    clock.advance(10)
    expect(await claim(registry, id)).toEqual({ ...lease, expiresAtMs: lease.expiresAtMs + 10 })
  })

  it('another life of the same owner is another', async ({ registry, register }) => {
    const id = await register()
    await claim(registry, id)
    expect(await registry.claim(id, { ...ANA, incarnationId: 'next-life' }, TTL)).toMatchObject({
      type: 'busy',
    })
  })

  it('a lapsed or released lease is acquired with a larger fence (§6 #92)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const first = await claim(registry, id, BEN)
    clock.advance(TTL)
    const second = await claim(registry, id)
    await registry.release(second)
    const third = await claim(registry, id, BEN)
    expect([first, second, third].map(({ fencingToken }) => fencingToken)).toEqual([1, 2, 3])
    expect(new Set([first, second, third].map(({ leaseToken }) => leaseToken)).size).toBe(3)
  })

  it('a lease for no time has already lapsed', async ({ registry, register }) => {
    const id = await register()
    const lease = await claim(registry, id, BEN, 0)
    await refused(registry.renew(lease, TTL), 'process_lease_lost')
    expect((await claim(registry, id)).fencingToken).toBe(2)
  })

  it('a superseded lease is not renewed (§6 #93)', async ({ registry, clock, register }) => {
    const id = await register()
    const stale = await claim(registry, id, BEN)
    clock.advance(TTL)
    const current = await claim(registry, id)
    await expect(registry.renew(stale, TTL)).rejects.toThrow('missing or expired')
    await refused(registry.reacquire(stale, TTL), 'process_lease_lost')
    expect(await registry.getLease(id)).toEqual(current)
  })

  it('a lease renewed in time lasts beyond its first term (§6 #94)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    let lease = await claim(registry, id)
    for (let renewal = 0; renewal < 10; renewal++) {
      clock.advance(TTL - 1)
      lease = await registry.renew(lease, TTL)
    }
    expect(lease).toMatchObject({ fencingToken: 1, expiresAtMs: clock.now() + TTL })
    expect(await registry.getLease(id)).toEqual(lease)
  })

  it('a lease that lapsed this very millisecond is not renewed', async ({ registry, clock, register }) => {
    const id = await register()
    const lease = await claim(registry, id)
    clock.advance(TTL)
    await refused(registry.renew(lease, TTL), 'process_lease_lost')
  })

  it('a lapsed lease that nobody superseded is taken again under the next fence', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const lease = await claim(registry, id)
    clock.advance(TTL * 10)
    const again = await registry.reacquire(lease, TTL)
    expect(again).toMatchObject({ owner: ANA, fencingToken: 2, expiresAtMs: clock.now() + TTL })
    await refused(registry.renew(lease, TTL), 'process_lease_lost')
    expect(await registry.renew(again, TTL)).toEqual(again)
  })

  it('a lease that was released is not taken again', async ({ registry, register }) => {
    const id = await register()
    const lease = await claim(registry, id)
    await registry.release(lease)
    await refused(registry.reacquire(lease, TTL), 'process_lease_lost')
  })

  it('no expiry that a client makes up keeps a lease alive (§6 #105)', async ({
    registry,
    clock,
    register,
  }) => {
    const id = await register()
    const lease = await claim(registry, id)
    clock.advance(TTL)
    const forged = { ...lease, expiresAtMs: clock.now() + 1e9 }
    await refused(registry.renew(forged, TTL), 'process_lease_lost')
    await refused(registry.completeWithLease(forged, COMPLETED), 'process_lease_lost')
  })

  it('a lease with a made-up token or fence is nobody’s', async ({ registry, register }) => {
    const id = await register()
    const lease = await claim(registry, id)
    for (const forged of [
      { ...lease, leaseToken: 'guessed' as LeaseToken },
      { ...lease, fencingToken: 2 },
      { ...lease, owner: BEN },
    ]) {
      await refused(registry.renew(forged, TTL), 'process_lease_lost')
      await refused(registry.completeWithLease(forged, COMPLETED), 'process_lease_lost')
    }
  })

  it('releasing twice succeeds, and a stale token releases nothing (§6 #96)', async ({
    registry,
    register,
  }) => {
    const id = await register()
    const stale = await claim(registry, id)
    await registry.release(stale)
    await registry.release(stale)
    const current = await claim(registry, id, BEN)
    await registry.release(stale)
    expect(await registry.getLease(id)).toEqual(current)
  })

  it('the holder is shown while it holds and after it lapsed, and not once it released (§6 #98)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await claim(registry, id)
    clock.advance(TTL * 2)
    expect(await registry.getLease(id)).toEqual(lease)
    await registry.release(lease)
    expect(await registry.getLease(id)).toBeUndefined()
  })

  it('leases are no change of the row', async world => {
    const id = await world.register()
    await unchanged(world, id, async () => {
      const lease = await claim(world.registry, id)
      await world.registry.renew(lease, TTL)
      await world.registry.release(lease)
    })
  })

  it('an ended row may be leased, and nothing can be kept or written under it', async ({
    registry,
    register,
    run,
  }) => {
    const id = await register()
    await registry.completeWithLease(await run(id), COMPLETED)
    const lease = await claim(registry, id)
    await refused(registry.renew(lease, TTL), 'process_lease_lost')
    await refused(registry.enterBody(lease, ANA), 'process_already_terminal')
    await registry.endAttempt(lease, 'shutdown')
    expect(await registry.msUntilDue()).toBeUndefined()
  })

  it('a proven dead holder is reclaimed before its time (§6 #99)', async ({ registry, register }) => {
    const id = await register()
    const observed = await claim(registry, id, BEN)
    const evidence = { incarnationId: BEN.incarnationId, fence: 1 }
    const reclaimed = await registry.reclaim(id, ANA, observed, { ttlMs: TTL, evidence })
    expect(reclaimed).toMatchObject({ type: 'acquired', lease: { owner: ANA, fencingToken: 2 } })
    await refused(registry.completeWithLease(observed, COMPLETED), 'process_lease_lost')
  })

  it('a holder without proof stays (§6 #102)', async ({ registry, register }) => {
    const id = await register()
    const elsewhere = owner('ben', 'host-2')
    const holder = await claim(registry, id, elsewhere)
    expect(await registry.reclaim(id, ANA, holder, { ttlMs: TTL })).toEqual({ type: 'busy', holder })
    const about = { incarnationId: 'somebody', fence: 1 }
    expect(await registry.reclaim(id, ANA, holder, { ttlMs: TTL, evidence: about })).toEqual({
      type: 'busy',
      holder,
    })
  })

  it('a stale observation never removes a newer lease', async ({ registry, clock, register }) => {
    const id = await register()
    const stale = await claim(registry, id, BEN)
    clock.advance(TTL)
    const holder = await claim(registry, id, BEN)
    const evidence = { incarnationId: BEN.incarnationId, fence: holder.fencingToken }
    expect(await registry.reclaim(id, ANA, stale, { ttlMs: TTL, evidence })).toEqual({ type: 'busy', holder })
  })

  it('of two reclaimers, one acquires (§6 #101)', async ({ registry, register }) => {
    const id = await register()
    const observed = await claim(registry, id, BEN)
    const evidence = { incarnationId: BEN.incarnationId, fence: 1 }
    const results = await Promise.all(
      [ANA, owner('carl')].map(by => registry.reclaim(id, by, observed, { ttlMs: TTL, evidence })),
    )
    expect(results.map(({ type }) => type).sort()).toEqual(['acquired', 'busy'])
    expect(await registry.getLease(id)).toMatchObject({ fencingToken: 2 })
  })

  it('a claim of its own by an attempt keeps what belongs to the attempt', async ({ registry, ...world }) => {
    const id = await world.register()
    const lease = await world.start(id, { worker: BEN, backendToken: 'token-1' })
    await claim(registry, id, lease.owner)
    expect(await registry.proveWorkerDead(BEN)).toMatchObject([{ processId: id, backendToken: 'token-1' }])
  })
}
