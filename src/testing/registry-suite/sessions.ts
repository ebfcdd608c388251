import { expect } from 'vitest'
import type { SessionScope } from '../../model/session-scope.ts'
import { COMPLETED, changedIds, registration } from './fixtures.ts'
import { type Case, unchanged } from './harness.ts'

const S: SessionScope = { sessionId: 's' }
const FRAME: SessionScope = { sessionId: 's', agentFrameId: 'f' }
const OTHER: SessionScope = { sessionId: 'other' }

export function sessionCases(it: Case): void {
  it('its grants go, those of its frames too, and others stay', async ({ registry, register }) => {
    for (const id of ['a', 'b']) await register({ id })
    for (const scope of [S, FRAME, OTHER]) await registry.grant(scope, 'a')
    await registry.grant(FRAME, 'b')
    expect(await registry.deleteSessionState('s')).toEqual({
      sessionId: 's',
      revokedHandleCount: 3,
      deletedWakeCount: 0,
      orphanedProcessIds: ['b'],
      preservedProcessIds: ['a'],
    })
    expect(await registry.grantsForProcess('a')).toMatchObject([{ sessionId: 'other' }])
    expect(await registry.grantsForProcess('b')).toEqual([])
  })

  it('ended processes are counted, and are in neither list', async ({ registry, register, run }) => {
    for (const id of ['orphan', 'ended', 'preserved', 'ended-too']) {
      await register({ id })
      await registry.grant(S, id)
    }
    for (const id of ['preserved', 'ended-too']) await registry.grant(OTHER, id)
    for (const id of ['ended', 'ended-too']) await registry.completeWithLease(await run(id), COMPLETED)
    expect(await registry.deleteSessionState('s')).toMatchObject({
      revokedHandleCount: 4,
      orphanedProcessIds: ['orphan'],
      preservedProcessIds: ['preserved'],
    })
  })

  it('its processes go on: none is cancelled or removed (§6 #115)', async ({ registry, ...world }) => {
    const ids = [await world.register({ id: 'running' }), await world.register({ id: 'waiting' })]
    for (const id of ids) await registry.grant(S, id)
    const lease = await world.start('running')
    await registry.setWait('waiting', { key: 'nap', sinceMs: 1, on: { type: 'timer' } })
    const before = await Promise.all(ids.map(world.record))
    await registry.deleteSessionState('s')
    expect(await Promise.all(ids.map(world.record))).toEqual(before)
    expect(await registry.getLease('running')).toEqual(lease)
    await registry.completeWithLease(lease, COMPLETED)
    expect(await world.record('running')).toMatchObject({ status: 'completed' })
  })

  for (const wakeTarget of [S, FRAME]) {
    it(`${JSON.stringify(wakeTarget)} wakes it no more: the row and its log say so`, async world => {
      const { registry, clock } = world
      const id = await world.register({ wakeTarget })
      const cursor = await registry.latestChange()
      clock.advance(5)
      await registry.deleteSessionState('s')
      const record = await world.record(id)
      expect(record).not.toHaveProperty('wakeTarget')
      expect(record).toMatchObject({ status: 'running', updatedAtMs: clock.now(), lastSequence: 1 })
      expect(await registry.eventsAfter(id, 0)).toMatchObject([
        { eventType: 'process.wake_target_cleared', payload: { wakeTarget } },
      ])
      expect(changedIds(await registry.changesSince(cursor, 10))).toEqual([id])
    })
  }

  it('an ended process loses its wake target too', async ({ registry, register, run, record }) => {
    const id = await register({ wakeTarget: S })
    await registry.completeWithLease(await run(id), COMPLETED)
    await registry.deleteSessionState('s')
    expect(await record(id)).toMatchObject({ status: 'completed', outcome: COMPLETED })
    expect(await record(id)).not.toHaveProperty('wakeTarget')
  })

  it("another session's wake target stays", async world => {
    const id = await world.register({ wakeTarget: OTHER })
    await world.registry.grant(S, id)
    await unchanged(world, id, () => world.registry.deleteSessionState('s'))
    expect(await world.record(id)).toMatchObject({ wakeTarget: OTHER })
  })

  it('the same registration is still the same without its wake target', async ({ registry }) => {
    const request = registration({ wakeTarget: S })
    await registry.register(request)
    await registry.deleteSessionState('s')
    expect(await registry.register(request)).toMatchObject({ type: 'existing' })
  })

  it('deleted again, nothing is left to do', async world => {
    const id = await world.register({ wakeTarget: S })
    await world.registry.grant(S, id)
    await world.registry.deleteSessionState('s')
    await unchanged(world, id, async () => {
      expect(await world.registry.deleteSessionState('s')).toEqual({
        sessionId: 's',
        revokedHandleCount: 0,
        deletedWakeCount: 0,
        orphanedProcessIds: [],
        preservedProcessIds: [],
      })
    })
  })

  it('of two sessions deleted at once, one leaves the process orphaned', async ({ registry, register }) => {
    const ids = ['a', 'b', 'c']
    for (const id of ids) {
      await register({ id })
      for (const scope of [S, OTHER]) await registry.grant(scope, id)
    }
    const reports = await Promise.all(['s', 'other'].map(id => registry.deleteSessionState(id)))
    expect(reports.flatMap(report => report.orphanedProcessIds).sort()).toEqual(ids)
    expect(reports.flatMap(report => report.preservedProcessIds).sort()).toEqual(ids)
    for (const id of ids) expect(await registry.grantsForProcess(id)).toEqual([])
  })
}
