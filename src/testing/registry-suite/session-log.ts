import { expect } from 'vitest'
import type { NewSessionEntry } from '../../model/session.ts'
import { COMPLETED } from './fixtures.ts'
import { type Case, refused } from './harness.ts'

const says = (content: string, kind: NewSessionEntry['kind'] = 'message'): NewSessionEntry => ({
  kind,
  message: { role: 'user', content },
})

const FIRST = { sessionId: 's', turnId: 't1' }
const SECOND = { sessionId: 's', turnId: 't2' }

export function sessionLogCases(it: Case): void {
  it('a new session is open for its turn, and comes back as it was made', async ({ registry, clock }) => {
    const request = {
      ...FIRST,
      policy: { model: 'small' },
      pluginOptions: { search: { limit: 3 } },
      causedBy: { type: 'process', processId: 'p' },
    } as const
    expect(await registry.createSession(request)).toMatchObject({ type: 'created' })
    const { turnId, ...rest } = request
    expect(await registry.loadSession('s')).toEqual({
      session: {
        ...rest,
        openFor: turnId,
        lastPosition: 0,
        version: 1,
        createdAtMs: clock.now(),
        updatedAtMs: clock.now(),
      },
      entries: [],
    })
    expect(await registry.loadSession('none')).toBeUndefined()
  })

  it('a session that is made for no turn is free, and one that is there stays as it is', async ({
    registry,
  }) => {
    expect(await registry.createSession({ sessionId: 's', policy: { model: 'small' } })).toMatchObject({
      type: 'created',
    })
    const made = await registry.loadSession('s')
    expect(made?.session).not.toHaveProperty('openFor')
    expect(await registry.createSession({ sessionId: 's' })).toMatchObject({ type: 'existing' })
    expect(await registry.loadSession('s')).toEqual(made)
    expect(await registry.createSession(FIRST)).toMatchObject({ type: 'reopened' })
    expect(await registry.createSession({ sessionId: 's' })).toMatchObject({
      type: 'existing',
      session: { openFor: 't1' },
    })
  })

  it('a fork begins with what was said up to an entry, and goes on by itself', async ({
    registry,
    clock,
  }) => {
    await registry.createSession({ ...FIRST, policy: { model: 'small' } })
    await registry.appendToSession('s', {
      turnId: 't1',
      after: 0,
      entries: ['a', 'b', 'c'].map(c => says(c)),
    })
    clock.advance(5)
    const forked = await registry.forkSession('s', { id: 'f', at: 2 })
    expect(forked).toMatchObject({ sessionId: 'f', policy: { model: 'small' }, lastPosition: 2 })
    const original = await registry.loadSession('s')
    expect(await registry.loadSession('f')).toEqual({
      session: forked,
      entries: original?.entries.slice(0, 2),
    })
    await registry.createSession({ sessionId: 'f', turnId: 't2' })
    await registry.appendToSession('f', { turnId: 't2', after: 2, entries: [says('other')] })
    expect(await registry.loadSession('s')).toEqual(original)
    // Without a place it takes all along.
    expect(await registry.forkSession('f', { id: 'g' })).toMatchObject({ lastPosition: 3 })
    await registry.leaveSession('f', 't2')
    await registry.deleteSession('f')
    expect((await registry.loadSession('g'))?.entries).toHaveLength(3)
  })

  it('a fork needs a session, an entry of it, and an id that is free', async ({ registry }) => {
    await registry.createSession(FIRST)
    await refused(registry.forkSession('ghost', { id: 'f' }), 'session_unknown')
    for (const at of [-1, 1, 0.5]) await refused(registry.forkSession('s', { id: 'f', at }), 'usage')
    await refused(registry.forkSession('s', { id: 's' }), 'session_conflict')
    await refused(registry.forkSession('s', { id: ' ' }), 'session_scope_invalid')
    expect(await registry.loadSession('f')).toBeUndefined()
  })

  it('entries are numbered from 1 without gap, over turns', async ({ registry, clock }) => {
    await registry.createSession(FIRST)
    expect(
      await registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a'), says('b')] }),
    ).toEqual({ lastPosition: 2 })
    await registry.leaveSession('s', 't1')
    await registry.createSession(SECOND)
    await registry.appendToSession('s', { turnId: 't2', after: 2, entries: [says('c')] })
    const loaded = await registry.loadSession('s')
    expect(loaded?.entries).toEqual([
      { ...says('a'), position: 1, turnId: 't1', appendedAtMs: clock.now() },
      { ...says('b'), position: 2, turnId: 't1', appendedAtMs: clock.now() },
      { ...says('c'), position: 3, turnId: 't2', appendedAtMs: clock.now() },
    ])
    expect(loaded?.session).toMatchObject({ lastPosition: 3, openFor: 't2' })
  })

  it('the turn that has the session finds it again; another one is told who has it', async ({ registry }) => {
    await registry.createSession({ ...FIRST, policy: { model: 'small' } })
    expect(await registry.createSession(FIRST)).toMatchObject({
      type: 'existing',
      session: { policy: { model: 'small' } },
    })
    const error = await registry.createSession(SECOND).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'session_busy', details: { openFor: 't1', turnId: 't2' } })
  })

  it('a turn whose process has ended without leaving its session is no longer in the way', async world => {
    const { registry } = world
    const id = await world.register()
    await registry.createSession({ sessionId: 's', turnId: id })
    await refused(registry.createSession(SECOND), 'session_busy')
    await registry.completeWithLease(await world.run(id), COMPLETED)
    expect(await registry.createSession(SECOND)).toMatchObject({
      type: 'reopened',
      session: { openFor: 't2' },
    })
  })

  it('a free session opens for the next turn, and keeps what it began with', async ({ registry }) => {
    await registry.createSession({ ...FIRST, policy: { model: 'small' } })
    await registry.leaveSession('s', 't1')
    expect((await registry.loadSession('s'))?.session).not.toHaveProperty('openFor')
    expect(await registry.createSession({ ...SECOND, policy: { model: 'big' } })).toMatchObject({
      type: 'reopened',
      session: { openFor: 't2', policy: { model: 'small' } },
    })
    expect((await registry.loadSession('s'))?.session).toMatchObject({ openFor: 't2' })
  })

  it('of many turns that want a session at once, one has it', async ({ registry }) => {
    const turns = ['a', 'b', 'c', 'd']
    const asked = await Promise.allSettled(
      turns.map(turnId => registry.createSession({ sessionId: 's', turnId })),
    )
    const [holder, ...others] = turns.filter((_, index) => asked[index]?.status === 'fulfilled')
    expect(others).toEqual([])
    expect((await registry.loadSession('s'))?.session).toMatchObject({ openFor: holder, version: 1 })
  })

  it('of many turns that want a free session at once, one has it', async ({ registry }) => {
    await registry.createSession(FIRST)
    await registry.leaveSession('s', 't1')
    const turns = ['a', 'b', 'c', 'd']
    const asked = await Promise.allSettled(
      turns.map(turnId => registry.createSession({ sessionId: 's', turnId })),
    )
    const [holder, ...others] = turns.filter((_, index) => asked[index]?.status === 'fulfilled')
    expect(others).toEqual([])
    expect((await registry.loadSession('s'))?.session).toMatchObject({ openFor: holder })
  })

  it('the same append again is the same entries, also when its turn is over', async ({ registry }) => {
    await registry.createSession(FIRST)
    const append = { turnId: 't1', after: 0, entries: [says('a'), says('b')] }
    await registry.appendToSession('s', append)
    expect(await registry.appendToSession('s', append)).toEqual({ lastPosition: 2 })
    await registry.leaveSession('s', 't1')
    expect(await registry.appendToSession('s', append)).toEqual({ lastPosition: 2 })
    expect((await registry.loadSession('s'))?.entries).toHaveLength(2)
  })

  it('another append at a taken place is refused, and so is one with a gap', async ({ registry }) => {
    await registry.createSession(FIRST)
    await registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a')] })
    for (const [after, entry] of [
      [0, says('b')],
      [0, says('a', 'summary')],
      [5, says('c')],
    ] as const) {
      await refused(
        registry.appendToSession('s', { turnId: 't1', after, entries: [entry] }),
        'session_conflict',
      )
    }
    expect((await registry.loadSession('s'))?.entries).toHaveLength(1)
  })

  it('of two different appends at one place, one is written', async ({ registry }) => {
    await registry.createSession(FIRST)
    const appended = await Promise.allSettled(
      ['a', 'b'].map(text =>
        registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says(text), says(text)] }),
      ),
    )
    expect(appended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const { entries = [] } = (await registry.loadSession('s')) ?? {}
    expect(entries[0]?.message).toEqual(entries[1]?.message)
  })

  it('only the turn that has the session appends to it and leaves it', async ({ registry }) => {
    await registry.createSession(FIRST)
    const append = { turnId: 't2', after: 0, entries: [says('a')] }
    await refused(registry.appendToSession('s', append), 'session_not_open')
    await registry.leaveSession('s', 't2')
    expect((await registry.loadSession('s'))?.session).toMatchObject({ openFor: 't1', version: 1 })
    await registry.leaveSession('s', 't1')
    await registry.leaveSession('s', 't1')
    await refused(registry.appendToSession('s', { ...append, turnId: 't1' }), 'session_not_open')
    expect((await registry.loadSession('s'))?.session).toMatchObject({ version: 2 })
  })

  it('nor is one whose process was pruned', async world => {
    const { registry } = world
    const id = await world.register()
    await registry.createSession({ sessionId: 's', turnId: id })
    await registry.completeWithLease(await world.run(id), COMPLETED)
    await registry.prune({ before: Number.MAX_SAFE_INTEGER })
    expect(await registry.createSession(SECOND)).toMatchObject({ type: 'reopened' })
  })

  it('a deleted session is gone with all that was said, and its id may be used anew', async ({
    registry,
  }) => {
    await registry.createSession(FIRST)
    await registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a')] })
    await refused(registry.deleteSession('s'), 'session_busy')
    await registry.leaveSession('s', 't1')
    expect(await registry.deleteSession('s')).toBe(true)
    expect(await registry.loadSession('s')).toBeUndefined()
    expect(await registry.deleteSession('s')).toBe(false)
    expect(await registry.createSession(SECOND)).toMatchObject({ type: 'created' })
    expect((await registry.loadSession('s'))?.entries).toEqual([])
  })

  it('a session that is not there takes no entry, and leaving it does nothing', async ({ registry }) => {
    await refused(
      registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a')] }),
      'session_unknown',
    )
    await registry.leaveSession('s', 't1')
    expect(await registry.loadSession('s')).toBeUndefined()
  })

  it('the active path begins with the last summary', async ({ registry }) => {
    await registry.createSession(FIRST)
    const load = async () =>
      (await registry.loadSession('s', { residency: 'active_path' }))?.entries.map(entry => entry.position)
    await registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a'), says('b')] })
    expect(await load()).toEqual([1, 2])
    await registry.appendToSession('s', {
      turnId: 't1',
      after: 2,
      entries: [says('ab', 'summary'), says('c'), says('abc', 'summary'), says('d')],
    })
    expect(await load()).toEqual([5, 6])
    expect((await registry.loadSession('s'))?.entries).toHaveLength(6)
  })

  it('a session and a turn need ids', async ({ registry }) => {
    await refused(registry.createSession({ sessionId: ' ', turnId: 't' }), 'session_scope_invalid')
    await refused(registry.createSession({ sessionId: 's/frame:f', turnId: 't' }), 'session_scope_invalid')
    await refused(registry.createSession({ sessionId: 's', turnId: ' ' }), 'usage')
  })

  it('sessions outlive a restart', async ({ registry, reopen }) => {
    await registry.createSession(FIRST)
    await registry.appendToSession('s', { turnId: 't1', after: 0, entries: [says('a')] })
    const before = await registry.loadSession('s')
    const again = await reopen?.()
    if (again !== undefined) expect(await again.loadSession('s')).toEqual(before)
  })
}
