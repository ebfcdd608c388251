import { expect } from 'vitest'
import type { LeaseOwner } from '../../model/lease.ts'
import { ANA, BEN, COMPLETED, HOST, owner, TTL, timer } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const opaque: LeaseOwner = { ownerId: 'cloud', incarnationId: 'cloud-life', liveness: { kind: 'opaque' } }

export function workerCases(it: Case): void {
  it('an announced worker is seen on its host, and there only', async ({ registry, clock }) => {
    const elsewhere = owner('carl', 'host-2')
    for (const worker of [ANA, BEN, elsewhere, opaque]) await registry.announceWorker(worker)
    const seen = await registry.workersOn(HOST)
    expect(seen.map(({ worker }) => worker.ownerId).sort()).toEqual(['ana', 'ben'])
    expect(seen).toContainEqual({ worker: ANA, startedAtMs: clock.now(), lastSeenMs: clock.now() })
    expect(await registry.workersOn('host-2')).toMatchObject([{ worker: elsewhere }])
    expect(await registry.workersOn('host-3')).toEqual([])
  })

  it('a worker that announces itself again is one worker', async ({ registry, clock }) => {
    await registry.announceWorker(ANA)
    clock.advance(50)
    await registry.announceWorker(ANA)
    expect(await registry.workersOn(HOST)).toMatchObject([{ worker: ANA, lastSeenMs: clock.now() }])
  })

  it('a worker that leaves is no longer seen, and may leave twice', async ({ registry }) => {
    await registry.announceWorker(ANA)
    await registry.announceWorker(BEN)
    await registry.removeWorker(ANA.incarnationId)
    await registry.removeWorker(ANA.incarnationId)
    expect(await registry.workersOn(HOST)).toMatchObject([{ worker: BEN }])
  })

  it('a proof of death clears every lease of the worker, and only its own', async ({
    registry,
    ...world
  }) => {
    await registry.announceWorker(BEN)
    const [a, b, mine] = [
      await world.register({ id: 'a' }),
      await world.register({ id: 'b' }),
      await world.register({ id: 'mine' }),
    ]
    await world.start(a, { worker: BEN })
    await world.start(b, { worker: BEN })
    const kept = await world.start(mine)
    expect(await registry.proveWorkerDead(BEN)).toEqual([])
    expect([await registry.getLease(a), await registry.getLease(b)]).toEqual([undefined, undefined])
    expect(await registry.getLease(mine)).toEqual(kept)
    expect(await registry.workersOn(HOST)).toEqual([])
    expect(await world.due()).toEqual([a, b])
    expect(await world.run(a)).toMatchObject({ fencingToken: 2 })
  })

  it('a worker proven dead can write nothing any more', async ({ registry, ...world }) => {
    const id = await world.register()
    const zombie = await world.start(id, { worker: BEN })
    await registry.proveWorkerDead(BEN)
    for (const write of [
      () => registry.renew(zombie, TTL),
      () => registry.reacquire(zombie, TTL),
      () => registry.park(zombie, []),
      () => registry.completeWithLease(zombie, COMPLETED),
    ]) {
      await refused(write(), 'process_lease_lost')
    }
    expect(await world.record(id)).toMatchObject({ status: 'running' })
  })

  it('a proof outlives whoever came to settle the process and died as well', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id, { worker: BEN })
    await registry.proveWorkerDead(BEN)
    const sweep = { type: 'settle', outcome: { evidence: { writer: 'sweep', owner: lease.owner } } }
    expect(await world.begin(id)).toMatchObject(sweep)
    clock.advance(TTL)
    expect(await world.begin(id)).toMatchObject(sweep)
  })

  it('a holder that lapsed long ago can still be proven dead', async ({ registry, clock, ...world }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id, { worker: BEN })
    clock.advance(TTL * 100)
    await registry.proveWorkerDead(BEN)
    expect(await world.due()).toEqual([id])
    expect(await world.begin(id)).toMatchObject({
      type: 'settle',
      outcome: { status: 'abandoned', evidence: { writer: 'sweep', owner: lease.owner } },
    })
  })

  it('a silent row is due as soon as its holder is proven dead, whatever token it had', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    clock.advance(TTL)
    expect(await world.begin(id)).toEqual({ type: 'silent' })
    await registry.proveWorkerDead(BEN)
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('proving a death again changes nothing', async world => {
    const { registry } = world
    const id = await world.register()
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    expect(await registry.proveWorkerDead(BEN)).toHaveLength(1)
    await unchanged(world, id, async () => expect(await registry.proveWorkerDead(BEN)).toEqual([]))
    expect(await registry.orphansOn(HOST)).toHaveLength(1)
  })

  it('a released attempt is not the dead worker’s any more', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    await registry.park(await world.start(id, { worker: BEN, backendToken: 'token-1' }), [
      timer('open', clock.now()),
    ])
    expect(await registry.proveWorkerDead(BEN)).toEqual([])
    expect(await world.begin(id)).toEqual({ type: 'parked' })
  })

  it('the token of a dead attempt stays listed on its host until it was failed', async ({
    registry,
    ...world
  }) => {
    const id = await world.register()
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    expect(await registry.orphansOn(HOST)).toEqual([])
    const orphan = { processId: id, fence: 1, backendToken: 'token-1' }
    expect(await registry.proveWorkerDead(BEN)).toEqual([orphan])
    expect(await registry.orphansOn(HOST)).toEqual([{ ...orphan, retryInMs: 0 }])
    expect(await registry.orphansOn('host-2')).toEqual([])
    await registry.settleOrphan(orphan, { isGone: false })
    expect(await registry.orphansOn(HOST)).toEqual([])
    expect(await registry.msUntilDue()).toBe(2_000)
    await registry.settleOrphan(orphan, { isGone: true })
    expect(await registry.msUntilDue()).toBe(2_000)
  })

  it('a proof outlives its token: the next attempt still knows of the death', async ({
    registry,
    ...world
  }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    for (const orphan of await registry.proveWorkerDead(BEN)) {
      await registry.settleOrphan(orphan, { isGone: false })
    }
    expect(await world.begin(id)).toMatchObject({
      type: 'settle',
      outcome: { evidence: { writer: 'sweep' } },
    })
  })

  it('an attempt that came in between has replaced the token', async world => {
    const { registry } = world
    const id = await world.register()
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    const [orphan] = await registry.proveWorkerDead(BEN)
    const successor = await world.start(id, { backendToken: 'token-2' })
    expect(await registry.orphansOn(HOST)).toEqual([])
    await unchanged(world, id, () =>
      registry.settleOrphan(orphan ?? expect.fail('no orphan'), { isGone: true }),
    )
    expect(await registry.getLease(id)).toEqual(successor)
    expect(await registry.msUntilDue()).toBe(TTL + 2_000)
  })

  it('whoever settles what a dead one left is no orphan itself, and keeps its token', async ({
    registry,
    ...world
  }) => {
    const id = await world.register({ disposition: 'owner_bound' })
    await world.start(id, { worker: BEN, backendToken: 'token-1' })
    for (const orphan of await registry.proveWorkerDead(BEN)) {
      await registry.settleOrphan(orphan, { isGone: false })
    }
    const settling = await world.begin(id, { worker: ANA, backendToken: 'token-2' })
    if (settling.type !== 'settle') expect.fail(settling.type)
    expect(await registry.orphansOn(HOST)).toEqual([])
    const { fencingToken: fence } = settling.lease
    await registry.settleOrphan({ processId: id, fence, backendToken: 'token-2' }, { isGone: false })
    expect(await registry.proveWorkerDead(ANA)).toMatchObject([{ fence, backendToken: 'token-2' }])
  })

  it('all that are announced are seen, in order', async ({ registry }) => {
    for (const worker of [BEN, opaque, ANA, owner('carl', 'host-2')]) await registry.announceWorker(worker)
    const seen = (await registry.workers()).map(({ worker }) => worker.ownerId)
    expect(seen).toEqual(['ana', 'ben', 'carl', 'cloud'])
  })

  it('one person’s word is evidence for all leases of a lost host, and stands in log and outcome', async world => {
    const { registry, clock } = world
    const elsewhere = owner('carl', 'host-2')
    for (const worker of [ANA, BEN, elsewhere]) await registry.announceWorker(worker)
    const bound = await world.register({ id: 'bound', disposition: 'owner_bound' })
    const silent = await world.register({ id: 'silent', disposition: 'owner_bound' })
    const rerun = await world.register({ id: 'rerun' })
    const kept = await world.register({ id: 'kept' })
    const starter = await world.start(silent, { worker: BEN, backendToken: 'token-1' })
    clock.advance(TTL)
    expect(await world.begin(silent, { worker: elsewhere })).toEqual({ type: 'silent' })
    const revenant = await world.start(bound, { worker: ANA })
    await world.start(rerun, { worker: BEN, backendToken: 'token-2' })
    const holder = await world.start(kept, { worker: elsewhere })

    expect([...(await registry.stateHostDead(HOST, 'ops on call'))].sort()).toEqual([bound, rerun, silent])
    expect(await registry.workersOn(HOST)).toEqual([])
    expect(await registry.getLease(kept)).toEqual(holder)
    // Nobody of that host is left to fail a token: the sweep acts at once.
    expect(await registry.orphansOn(HOST)).toEqual([])
    expect([...(await world.due())].sort()).toEqual([bound, rerun, silent])
    for (const id of [bound, silent, rerun]) {
      expect((await registry.recentEvents(id, 1))[0]).toMatchObject({
        eventType: 'process.host_dead',
        payload: { by: 'ops on call' },
      })
    }
    expect((await world.begin(rerun, { worker: elsewhere })).type).toBe('run')
    for (const [id, { owner }] of [
      [bound, revenant],
      [silent, starter],
    ] as const) {
      const answer = await world.begin(id, { worker: elsewhere })
      if (answer.type !== 'settle') expect.fail(answer.type)
      expect(await registry.completeWithLease(answer.lease, answer.outcome)).toMatchObject({
        status: 'abandoned',
        outcome: { evidence: { writer: 'sweep', owner, statedBy: 'ops on call' } },
      })
    }
    await refused(registry.completeWithLease(revenant, COMPLETED), 'process_lease_lost')
  })

  it('a host that no worker is announced on cannot be stated dead', async ({ registry }) => {
    await registry.announceWorker(ANA)
    await refused(registry.stateHostDead('host-2', 'ops'), 'host_unknown')
    expect(await registry.workersOn(HOST)).toHaveLength(1)
  })

  it('a process that takes down one worker after the other comes back later each time', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const waits: (number | undefined)[] = []
    for (let kill = 0; kill < 4; kill++) {
      await world.start(id, { worker: BEN, backendToken: `token-${kill}` })
      await registry.proveWorkerDead(BEN)
      const [orphan] = await registry.orphansOn(HOST)
      waits.push(orphan?.retryInMs)
      // The sweep steps in where failing the token did not help.
      expect(await registry.msUntilDue()).toBe((orphan?.retryInMs ?? 0) + 2_000)
    }
    expect(waits).toEqual([0, 1_000, 2_000, 4_000])
    await world.start(id, { worker: BEN, backendToken: 'token-4' })
    clock.advance(TTL * 2)
    await registry.proveWorkerDead(BEN)
    expect(await registry.orphansOn(HOST)).toMatchObject([{ retryInMs: 0 }])
  })

  it('a token that belongs to no process any more settles in silence', async ({ registry, ...world }) => {
    const id = await world.register()
    await registry.settleOrphan({ processId: id, fence: 9, backendToken: 'old' }, { isGone: true })
    expect(await registry.msUntilDue()).toBe(2_000)
  })
}
