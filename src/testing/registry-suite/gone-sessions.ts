import { expect } from 'vitest'
import type { WakeClaim, WakeSettlement } from '../../model/outbox.ts'
import { type Case, unchanged, type World } from './harness.ts'

const NEWS = { name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } } as const
const GONE = { type: 'discard', reason: 'target_gone' } as const
const ENQUEUED = { type: 'enqueued' } as const

/** A process that has told the session `s` two things, which nobody has delivered yet. */
async function withTwoWakes({ registry, register }: World): Promise<void> {
  await register({ wakeTarget: { sessionId: 's' }, eventTypes: [NEWS] })
  for (const payload of ['a', 'b'])
    await registry.append('p', { eventType: 'news', payload, replayKey: payload })
}

/** Delivers what is due, each as the settlement of its session says; `s: a` was handed to s. */
async function deliver(
  { registry }: World,
  settlementOf: (sessionId: string) => WakeSettlement = () => ENQUEUED,
): Promise<string[]> {
  const handed: string[] = []
  for (;;) {
    const { claims } = await registry.claimWakes()
    if (claims.length === 0) return handed
    for (const claim of claims) handed.push(await settle(registry, claim, settlementOf))
  }
}

async function settle(
  registry: World['registry'],
  claim: WakeClaim,
  settlementOf: (sessionId: string) => WakeSettlement,
): Promise<string> {
  const { targetSessionId, input } = claim.delivery
  await registry.settleWake(claim, settlementOf(targetSessionId))
  return `${targetSessionId}: ${input}`
}

export function goneSessionCases(it: Case): void {
  it('what is on its way when a session is deleted stays, until whoever delivers it finds the session gone', async world => {
    const { registry } = world
    await withTwoWakes(world)
    expect(await registry.deleteSessionState('s')).toMatchObject({ deletedWakeCount: 0 })
    expect(await deliver(world, () => GONE)).toEqual(['s: a'])
    expect(await registry.blockedGroups()).toMatchObject([
      { sessionId: 's', processId: 'p', reason: 'target_gone', waiting: 1 },
    ])
  })

  it('sent to another session it is delivered there, in order, and nothing is blocked', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.deleteSessionState('s')
    await deliver(world, () => GONE)
    expect(await registry.retargetWakes('p', 's', { sessionId: 't' })).toBe(2)
    expect(await deliver(world)).toEqual(['t: a', 't: b'])
    expect(await registry.blockedGroups()).toEqual([])
  })

  it('what was sent on to another session is that session’s, whatever becomes of the first', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.retargetWakes('p', 's', { sessionId: 't' })
    await registry.deleteSessionState('s')
    expect(await deliver(world)).toEqual(['t: a', 't: b'])
  })

  it('the session that it was sent on to may be deleted too: that changes no row, and no other target', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.retargetWakes('p', 's', { sessionId: 't' })
    await unchanged(world, 'p', async () => {
      expect(await registry.deleteSessionState('t')).toMatchObject({ revokedHandleCount: 0 })
    })
    expect(await deliver(world, () => GONE)).toEqual(['t: a'])
    await registry.append('p', { eventType: 'news', payload: 'c' })
    expect(await deliver(world)).toEqual(['s: c'])
  })

  it('an append that is repeated does not bring back what was sent on', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.retargetWakes('p', 's', { sessionId: 't' })
    const again = { eventType: 'news', payload: 'a', replayKey: 'a' }
    expect(await registry.append('p', again)).toMatchObject({ type: 'replayed' })
    const named = { ...again, wakeTargetScope: { sessionId: 's' } }
    expect(await registry.append('p', named)).toMatchObject({ type: 'replayed' })
    expect(await deliver(world)).toEqual(['t: a', 't: b'])
  })

  it('an append that is repeated after its session was deleted wakes nobody anew', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.deleteSessionState('s')
    const again = await registry.append('p', { eventType: 'news', payload: 'a', replayKey: 'a' })
    expect(again).toMatchObject({ type: 'replayed' })
    expect(again).not.toHaveProperty('wakeDelivery')
    expect(await registry.wakesOf('p')).toHaveLength(2)
  })

  it('what happens after the deletion is recorded, and wakes nobody', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.deleteSessionState('s')
    const later = await registry.append('p', { eventType: 'news', payload: 'c' })
    expect(later).toMatchObject({ type: 'appended' })
    expect(later).not.toHaveProperty('wakeDelivery')
    expect(await deliver(world, () => GONE)).toEqual(['s: a'])
  })

  it('acknowledged wakes do not come up again when their session is deleted', async world => {
    const { registry } = world
    await withTwoWakes(world)
    await registry.ackWake('p', 1)
    await registry.deleteSessionState('s')
    const unacknowledged = await registry.wakeEventsAfter('p', 0)
    expect(unacknowledged.map(({ sequence }) => sequence)).toEqual([2])
  })
}
