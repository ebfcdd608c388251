import { expect } from 'vitest'
import { COMPLETED, registration, sessionTurn } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const says = (content: string) => ({ kind: 'message', message: { role: 'user', content } }) as const

const say = ({ registry }: World, id: string) =>
  registry.register(registration({ id, input: sessionTurn({ sessionId: 's' }) }), { turnOf: 's' })

/** A session in turn `t`, for which turns `a` and `b` wait. */
async function openWorld(world: World): Promise<void> {
  await world.registry.createSession({ sessionId: 's' })
  for (const id of ['t', 'a', 'b']) await say(world, id)
  await world.registry.createSession({ sessionId: 's', turnId: 't' })
}

export function closedSessionCases(it: Case): void {
  it('one takes no new turn, says who waits for it in vain, and its own turn comes to its end', async world => {
    const { registry, clock } = world
    await openWorld(world)
    const { session, waiting } = await registry.closeSession('s')
    expect(session).toMatchObject({ openFor: 't', closedAtMs: clock.now() })
    expect(waiting).toEqual(['a', 'b'])
    await refused(say(world, 'c'), 'session_closed')
    expect(await registry.get('c')).toBeUndefined()
    expect(await registry.createSession({ sessionId: 's', turnId: 't' })).toMatchObject({ type: 'existing' })
    const append = { turnId: 't', after: 0, entries: [says('the last word')] }
    expect(await registry.appendToSession('s', append)).toEqual({ lastPosition: 1 })
    await registry.leaveSession('s', 't')
    for (const turnId of ['a', 't', 'plain'])
      await refused(registry.createSession({ sessionId: 's', turnId }), 'session_closed')
    expect(await registry.appendToSession('s', append)).toEqual({ lastPosition: 1 })
  })

  it('one is closed in no turn as well, stays as it was closed first, and names those that wait again', async world => {
    const { registry, clock } = world
    await openWorld(world)
    await registry.leaveSession('s', 't')
    const first = await registry.closeSession('s')
    clock.advance(5)
    await registry.requestCancel('a')
    expect(await registry.closeSession('s')).toEqual({ session: first.session, waiting: ['b'] })
    await refused(registry.closeSession('ghost'), 'session_unknown')
  })

  it('the same start of a turn that was taken before finds it', async world => {
    await openWorld(world)
    await world.registry.closeSession('s')
    expect(await say(world, 'a')).toMatchObject({ type: 'existing' })
  })

  it('one is read, looked for and forked as before, and its fork is open', async world => {
    const { registry } = world
    await openWorld(world)
    await registry.appendToSession('s', { turnId: 't', after: 0, entries: [says('a'), says('b')] })
    await registry.closeSession('s')
    expect((await registry.loadSession('s'))?.entries).toHaveLength(2)
    expect(await registry.findSession('s')).toMatchObject({
      type: 'present',
      session: { closedAtMs: expect.any(Number) },
    })
    expect(await registry.forkSession('s', { id: 'f', at: 1 })).not.toHaveProperty('closedAtMs')
    expect(await registry.createSession({ sessionId: 'f', turnId: 'x' })).toMatchObject({ type: 'reopened' })
  })

  it('one is deleted when nobody has it or waits for it, and its id is free then', async world => {
    const { registry } = world
    await openWorld(world)
    await registry.closeSession('s')
    await refused(registry.deleteSession('s'), 'session_busy')
    await registry.leaveSession('s', 't')
    for (const id of ['t', 'a', 'b']) await registry.completeWithLease(await world.run(id), COMPLETED)
    expect(await registry.deleteSession('s')).toBe(true)
    expect(await registry.createSession({ sessionId: 's' })).toMatchObject({ type: 'created' })
    expect((await registry.loadSession('s'))?.session).not.toHaveProperty('closedAtMs')
  })
}
