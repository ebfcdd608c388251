import { expect } from 'vitest'
import { OUTBOX, type WakeClaim } from '../../model/outbox.ts'
import { type Case, refused, type World } from './harness.ts'

/** A process whose every `news` wakes the session `s`, unless it names another. */
export const announcer = (world: World, id: string) =>
  world.register({
    id,
    wakeTarget: { sessionId: 's' },
    eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } }],
  })

export const announce = (world: World, id: string, text: string, sessionId?: string) =>
  world.registry.append(id, {
    eventType: 'news',
    payload: text,
    ...(sessionId === undefined ? {} : { wakeTargetScope: { sessionId } }),
  })

/** Claims what is due, and says what: `p:2` is the wake of p's second event. */
async function claim(
  world: World,
  limit?: number,
): Promise<{ claims: readonly WakeClaim[]; names: string[] }> {
  const { claims } = await world.registry.claimWakes(limit === undefined ? {} : { limit })
  return { claims, names: claims.map(({ delivery }) => `${delivery.processId}:${delivery.sequence}`) }
}

async function claimOne(world: World): Promise<WakeClaim> {
  const { claims } = await world.registry.claimWakes({ limit: 1 })
  return claims[0] ?? expect.fail('no wake is due')
}

const ENQUEUED = { type: 'enqueued' } as const
const RETRY = { type: 'retry' } as const

export function outboxCases(it: Case): void {
  it('a wake is claimed once, handed over and gone', async world => {
    const { registry } = world
    const { wakeDelivery } = await announce(world, await announcer(world, 'p'), 'a')
    const claimed = await claimOne(world)
    expect(claimed).toEqual({ delivery: wakeDelivery, claimToken: expect.any(String), attempt: 1 })
    expect((await claim(world)).names).toEqual([])
    await registry.settleWake(claimed, ENQUEUED)
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'enqueued' }])
    expect(await registry.msUntilWakeDue()).toBeUndefined()
  })

  it('the wakes of one process go to one session one after the other', async world => {
    await announcer(world, 'p')
    for (const text of ['a', 'b', 'c']) await announce(world, 'p', text)
    const order: string[] = []
    for (let round = 0; round < 3; round++) {
      const { claims, names } = await claim(world)
      order.push(...names)
      expect(claims).toHaveLength(1)
      for (const one of claims) await world.registry.settleWake(one, ENQUEUED)
    }
    expect(order).toEqual(['p:1', 'p:2', 'p:3'])
  })

  it('no group starves another: the longest due goes first, one of each', async world => {
    const { clock, registry } = world
    for (const id of ['a', 'b']) await announcer(world, id)
    for (let nth = 0; nth < 5; nth++) await announce(world, 'a', 'busy')
    clock.advance(1)
    await announce(world, 'b', 'rare')
    clock.advance(1)
    await announce(world, 'a', 'elsewhere', 'other')
    expect((await claim(world, 2)).names).toEqual(['a:1', 'b:1'])
    const { names, claims } = await claim(world)
    expect(names).toEqual(['a:6'])
    for (const one of claims) await registry.settleWake(one, ENQUEUED)
  })

  it('what cannot be handed over is tried again, ever more rarely, and holds its place', async world => {
    const { registry, clock } = world
    await announcer(world, 'p')
    for (const text of ['a', 'b']) await announce(world, 'p', text)
    for (const delay of [50, 100, 200]) {
      await registry.settleWake(await claimOne(world), RETRY)
      expect(await registry.msUntilWakeDue()).toBe(delay)
      clock.advance(delay - 1)
      expect((await claim(world)).names).toEqual([])
      clock.advance(1)
    }
    const { claims, names } = await claim(world)
    expect(names).toEqual(['p:1'])
    expect(claims[0]?.attempt).toBe(4)
  })

  it('a claim that is not settled is taken over, and then lost (§6 #58)', async world => {
    const { registry, clock } = world
    await announce(world, await announcer(world, 'p'), 'a')
    const dead = await claimOne(world)
    clock.advance(OUTBOX.staleClaimMs - 1)
    expect((await claim(world)).names).toEqual([])
    clock.advance(1)
    const second = await claimOne(world)
    expect(second).toMatchObject({ attempt: 2, delivery: dead.delivery })
    for (const settlement of [ENQUEUED, RETRY, { type: 'discard', reason: 'target_gone' } as const]) {
      await refused(registry.settleWake(dead, settlement), 'wake_claim_lost')
    }
    await registry.settleWake(second, ENQUEUED)
    await refused(registry.settleWake(second, ENQUEUED), 'wake_claim_lost')
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'enqueued', attempts: 2 }])
  })

  it('a late claimer that nobody has overtaken may still settle', async world => {
    await announce(world, await announcer(world, 'p'), 'a')
    const late = await claimOne(world)
    world.clock.advance(OUTBOX.staleClaimMs * 2)
    await world.registry.settleWake(late, ENQUEUED)
    expect((await claim(world)).names).toEqual([])
  })

  it('what cannot be delivered in time is given up, reported, and holds up its group (§6 #60, #61)', async world => {
    const { registry, clock } = world
    await announcer(world, 'p')
    const { wakeDelivery } = await announce(world, 'p', 'a')
    clock.advance(OUTBOX.expiryMs)
    await announce(world, 'p', 'b')
    expect(await registry.claimWakes()).toEqual({ claims: [], expired: [wakeDelivery] })
    expect(await registry.claimWakes()).toEqual({ claims: [], expired: [] })
    expect(await registry.blockedGroups()).toEqual([
      {
        ...{ sessionId: 's', processId: 'p', wakeId: wakeDelivery?.wakeId },
        ...{ reason: 'expired', atMs: clock.now(), waiting: 1 },
      },
    ])
  })

  it('a session that is gone holds up its own group only, until it is redriven (§6 #60, #61)', async world => {
    const { registry, clock } = world
    await announcer(world, 'p')
    for (const text of ['a', 'b']) await announce(world, 'p', text)
    await registry.settleWake(await claimOne(world), { type: 'discard', reason: 'target_gone' })
    await announce(world, 'p', 'c', 'other')
    const others = await claim(world)
    expect(others.names).toEqual(['p:3'])
    for (const one of others.claims) await registry.settleWake(one, ENQUEUED)
    const [blocked] = await registry.blockedGroups()
    expect(blocked).toMatchObject({ sessionId: 's', reason: 'target_gone', waiting: 1 })

    clock.advance(OUTBOX.expiryMs)
    await registry.redriveWake(blocked?.wakeId ?? '')
    expect(await registry.blockedGroups()).toEqual([])
    await refused(registry.redriveWake(blocked?.wakeId ?? ''), 'wake_not_blocked')
    await refused(registry.redriveWake('wake:none'), 'wake_not_blocked')
    for (const name of ['p:1', 'p:2']) {
      const one = await claim(world, 1)
      expect(one.names).toEqual([name])
      expect(one.claims[0]?.attempt).toBe(1)
      for (const each of one.claims) await registry.settleWake(each, ENQUEUED)
    }
  })

  it('a wake that the session had heard already makes way (§6 #60)', async world => {
    await announcer(world, 'p')
    for (const text of ['a', 'b']) await announce(world, 'p', text)
    await world.registry.settleWake(await claimOne(world), { type: 'discard', reason: 'sequence_rewound' })
    expect(await world.registry.blockedGroups()).toEqual([])
    expect((await claim(world)).names).toEqual(['p:2'])
  })

  it('blocked groups come in pages', async world => {
    for (const id of ['a', 'b', 'c']) await announce(world, await announcer(world, id), 'x')
    world.clock.advance(OUTBOX.expiryMs)
    await world.registry.claimWakes()
    const all = await world.registry.blockedGroups()
    expect(all.map(({ processId }) => processId).toSorted()).toEqual(['a', 'b', 'c'])
    const [first] = await world.registry.blockedGroups({ limit: 1 })
    expect(first).toEqual(all[0])
    expect(await world.registry.blockedGroups({ after: first?.wakeId ?? '' })).toEqual(all.slice(1))
  })

  it('undelivered wakes can be sent to another session, in their order', async world => {
    const { registry } = world
    await announcer(world, 'p')
    for (const text of ['a', 'b', 'c']) await announce(world, 'p', text)
    const held = await claimOne(world)
    expect(await registry.retargetWakes('p', 's', { sessionId: 't' })).toBe(2)
    const first = await claim(world)
    expect(first.names).toEqual(['p:2'])
    expect(first.claims[0]?.delivery).toMatchObject({ targetSessionId: 't', input: 'b' })
    for (const one of [held, ...first.claims]) await registry.settleWake(one, ENQUEUED)
    expect((await claim(world)).names).toEqual(['p:3'])
    expect(await registry.blockedGroups()).toEqual([])
  })

  it('sent away and back they are delivered after all', async world => {
    const { registry } = world
    await announcer(world, 'p')
    for (const text of ['a', 'b']) await announce(world, 'p', text)
    await registry.retargetWakes('p', 's', { sessionId: 't' })
    expect(await registry.retargetWakes('p', 't', { sessionId: 's' })).toBe(2)
    const { claims, names } = await claim(world)
    expect(names).toEqual(['p:1'])
    expect(claims[0]?.delivery.targetSessionId).toBe('s')
    for (const one of claims) await registry.settleWake(one, ENQUEUED)
    expect((await claim(world)).names).toEqual(['p:2'])
  })

  it('wakes go to another session or not at all', async world => {
    await announce(world, await announcer(world, 'p'), 'a')
    await refused(world.registry.retargetWakes('p', 's', { sessionId: 's' }), 'usage')
    await refused(world.registry.retargetWakes('p', 's', { sessionId: '' }), 'session_scope_invalid')
    expect((await claim(world)).names).toEqual(['p:1'])
  })

  it('an old event that is said to another session goes before what waits there', async world => {
    const { registry } = world
    await announcer(world, 'p')
    const old = { eventType: 'news', payload: 'old', replayKey: 'k' }
    await registry.append('p', old)
    await announce(world, 'p', 'new', 'other')
    await registry.append('p', { ...old, wakeTargetScope: { sessionId: 'other' } })
    const { claims } = await registry.claimWakes()
    const others = claims.filter(({ delivery }) => delivery.targetSessionId === 'other')
    expect(others.map(({ delivery }) => delivery.sequence)).toEqual([1])
    for (const one of others) await registry.settleWake(one, ENQUEUED)
    expect((await claim(world)).names).toEqual(['p:2'])
  })

  it('of ten who claim at once, one has the wake', async world => {
    await announce(world, await announcer(world, 'p'), 'a')
    const all = await Promise.all(Array.from({ length: 10 }, () => world.registry.claimWakes()))
    expect(all.flatMap(({ claims }) => claims)).toHaveLength(1)
  })

  it('an event that comes as the head leaves is never left behind', async world => {
    const { registry } = world
    await announcer(world, 'p')
    await announce(world, 'p', 'first')
    for (let round = 0; round < 20; round++) {
      const head = await claimOne(world)
      const settle = () => registry.settleWake(head, ENQUEUED)
      const say = () => announce(world, 'p', 'next')
      const order: (() => Promise<unknown>)[] = round % 2 === 0 ? [settle, say] : [say, settle]
      await Promise.all(order.map(act => act()))
      expect(await registry.msUntilWakeDue()).toBe(0)
    }
  })

  it('waits for nobody who was never told of a wake (§6 #57)', async world => {
    await announcer(world, 'p')
    expect(await world.registry.claimWakes()).toEqual({ claims: [], expired: [] })
    expect(await world.registry.msUntilWakeDue()).toBeUndefined()
    expect(await world.registry.blockedGroups()).toEqual([])
  })
}
