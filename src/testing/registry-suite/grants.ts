import { expect } from 'vitest'
import type { SessionScope } from '../../model/session-scope.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { COMPLETED, registration } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const S1: SessionScope = { sessionId: 's1' }
const S2: SessionScope = { sessionId: 's2' }
const FRAME: SessionScope = { sessionId: 's1', agentFrameId: 'f' }

const granted = async (registry: ProcessRegistry, scope: SessionScope): Promise<readonly string[]> =>
  (await registry.listGrants(scope)).map(({ grant }) => grant.processId)

const holders = async (registry: ProcessRegistry, id: string): Promise<readonly string[]> =>
  (await registry.grantsForProcess(id)).map(({ scopeId }) => scopeId)

export function grantCases(it: Case): void {
  it('one that is given is there until it is revoked (§6 #107)', async world => {
    const { registry } = world
    const id = await world.register()
    expect(await registry.hasGrant(S1, id)).toBe(false)
    const grant = await registry.grant(S1, id, { kind: 'survey', label: 'weekly' })
    expect(grant).toEqual({
      sessionId: 's1',
      scopeId: 'session:s1',
      processId: id,
      descriptor: { kind: 'survey', label: 'weekly' },
    })
    expect(await registry.hasGrant(S1, id)).toBe(true)
    expect(await registry.listGrants(S1)).toEqual([{ grant, record: await world.record(id) }])
    await registry.revoke(S1, id)
    expect(await registry.hasGrant(S1, id)).toBe(false)
    expect(await registry.listGrants(S1)).toEqual([])
  })

  it('given again, it has the newer descriptor and is still one', async ({ registry, register }) => {
    const id = await register()
    await registry.grant(S1, id, { kind: 'survey', label: 'weekly' })
    await registry.grant(S1, id, { label: 'daily' })
    const [entry, ...others] = await registry.listGrants(S1)
    expect(entry?.grant.descriptor).toEqual({ label: 'daily' })
    expect(others).toEqual([])
    expect((await registry.grant(S1, id)).descriptor).toEqual({})
  })

  it('revoking what was never given, or never registered, does nothing', async world => {
    const id = await world.register()
    await unchanged(world, id, async () => {
      await world.registry.revoke(S1, id)
      await world.registry.revoke(S1, 'ghost')
    })
  })

  it('none of them touches the row or its log (§6 #108)', async world => {
    const { registry } = world
    const id = await world.register()
    world.clock.advance(5)
    await unchanged(world, id, async () => {
      await registry.grant(S1, id)
      await registry.transferGrants([id], { from: S1, to: S2 })
      await registry.revoke(S2, id)
    })
    expect(await registry.eventsAfter(id, 0)).toEqual([])
  })

  it('a frame and its session are different scopes', async ({ registry, register }) => {
    const id = await register()
    await registry.grant(FRAME, id)
    expect([await registry.hasGrant(FRAME, id), await registry.hasGrant(S1, id)]).toEqual([true, false])
    await registry.grant({ ...FRAME, agentFrameId: '' }, id)
    expect(await registry.hasGrant(S1, id)).toBe(true)
    await registry.revoke(FRAME, id)
    expect(await holders(registry, id)).toEqual(['session:s1'])
  })

  it('transferred, only the taker has it, with its descriptor (§6 #108)', async ({ registry, register }) => {
    const id = await register()
    await registry.grant(S1, id, { label: 'mine' })
    const moved = await registry.transferGrants([id], { from: S1, to: S2 })
    expect(moved).toMatchObject([{ scopeId: 'session:s2', processId: id, descriptor: { label: 'mine' } }])
    expect(await registry.hasGrant(S1, id)).toBe(false)
    expect(await registry.grantsForProcess(id)).toEqual(moved)
  })

  it('what the taker had of the process is replaced', async ({ registry, register }) => {
    const id = await register()
    await registry.grant(S1, id, { label: 'given' })
    await registry.grant(S2, id, { label: 'had' })
    await registry.transferGrants([id], { from: S1, to: S2 })
    expect(await registry.grantsForProcess(id)).toMatchObject([
      { sessionId: 's2', descriptor: { label: 'given' } },
    ])
  })

  it('transferred to its own scope, or named twice, it stays one', async ({ registry, register }) => {
    const id = await register()
    await registry.grant(S1, id, { label: 'mine' })
    await registry.transferGrants([id, id], { from: S1, to: S1 })
    expect(await registry.grantsForProcess(id)).toMatchObject([{ descriptor: { label: 'mine' } }])
    expect(await registry.transferGrants([], { from: S1, to: S2 })).toEqual([])
  })

  it('all are transferred or none: one that is missing is named, with the session', async world => {
    const { registry, register } = world
    for (const id of ['a', 'b', 'c']) await register({ id })
    for (const id of ['a', 'c']) await registry.grant(S1, id)
    await registry.grant(S2, 'b')
    const transfer = (ids: readonly string[]) => registry.transferGrants(ids, { from: S1, to: S2 })
    await refused(transfer(['a', 'b', 'c']), 'process_handle_not_granted')
    await expect(transfer(['a', 'b'])).rejects.toMatchObject({
      processId: 'b',
      message: expect.stringContaining('"s1"'),
    })
    await refused(transfer(['a', 'ghost']), 'process_unknown')
    expect([await granted(registry, S1), await granted(registry, S2)]).toEqual([['a', 'c'], ['b']])
  })

  it('the holders of a process come by session and scope (§6 #109)', async ({ registry, register }) => {
    const id = await register()
    for (const scope of [S2, FRAME, S1]) await registry.grant(scope, id)
    expect(await holders(registry, id)).toEqual(['session:s1', 'session:s1/frame:f', 'session:s2'])
    await registry.transferGrants([id], { from: S1, to: { sessionId: 's3' } })
    expect(await holders(registry, id)).toEqual(['session:s1/frame:f', 'session:s2', 'session:s3'])
  })

  it('a process that nobody was granted exists and runs (§6 #111)', async ({ registry, register, run }) => {
    const id = await register()
    expect(await registry.grantsForProcess(id)).toEqual([])
    await registry.completeWithLease(await run(id), COMPLETED)
    expect(await registry.get(id)).toMatchObject({ status: 'completed' })
  })

  it('the list has ended processes too, the live list has not, both in byte order (§6 #112)', async world => {
    const { registry, register, run } = world
    for (const id of ['c', 'B', 'a', 'other']) await register({ id })
    for (const id of ['c', 'a', 'B']) await registry.grant(S1, id, { label: id })
    await registry.grant(S2, 'other')
    await registry.completeWithLease(await run('a'), COMPLETED)
    expect(await granted(registry, S1)).toEqual(['B', 'a', 'c'])
    const live = await registry.listLiveGrants(S1)
    expect(live.map(({ grant, record }) => [grant.descriptor.label, record.id, record.status])).toEqual([
      ['B', 'B', 'running'],
      ['c', 'c', 'running'],
    ])
  })

  it('a new row can have its first grant from the beginning', async ({ registry }) => {
    const grant = { scope: S1, descriptor: { label: 'mine' } }
    expect((await registry.register(registration(), { grant })).type).toBe('registered')
    expect(await registry.grantsForProcess('p')).toMatchObject([
      { scopeId: 'session:s1', descriptor: { label: 'mine' } },
    ])
  })

  it('a start that is repeated does not bring back what was transferred or revoked', async ({ registry }) => {
    const register = () => registry.register(registration(), { grant: { scope: S1 } })
    await register()
    await registry.transferGrants(['p'], { from: S1, to: S2 })
    expect((await register()).type).toBe('existing')
    expect(await holders(registry, 'p')).toEqual(['session:s2'])
    await registry.revoke(S2, 'p')
    await register()
    expect(await holders(registry, 'p')).toEqual([])
  })

  it('a registration that is refused grants nothing', async ({ registry }) => {
    await registry.register(registration())
    const other = registration({ disposition: 'owner_bound' })
    await refused(registry.register(other, { grant: { scope: S1 } }), 'process_registration_conflict')
    expect(await holders(registry, 'p')).toEqual([])
  })

  it('a scope that names no session is refused, and registers nothing', async ({ registry, register }) => {
    const nobody = { sessionId: ' ' }
    const shadow = { sessionId: 's1/frame:f' }
    await refused(registry.register(registration(), { grant: { scope: nobody } }), 'session_scope_invalid')
    expect(await registry.get('p')).toBeUndefined()
    const id = await register()
    for (const scope of [nobody, shadow]) {
      await refused(registry.grant(scope, id), 'session_scope_invalid')
      await refused(registry.revoke(scope, id), 'session_scope_invalid')
      await refused(registry.hasGrant(scope, id), 'session_scope_invalid')
      await refused(registry.listGrants(scope), 'session_scope_invalid')
    }
    const misspelt: object = { lable: 'x' }
    await refused(registry.grant(S1, id, misspelt), 'usage')
    await refused(registry.deleteSessionState(' '), 'session_scope_invalid')
  })
}
