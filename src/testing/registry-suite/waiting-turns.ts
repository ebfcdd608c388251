import { expect } from 'vitest'
import type { Outcome } from '../../model/outcome.ts'
import { turnAhead } from '../../model/session.ts'
import { COMPLETED, OUTCOMES, registration, sessionTurn } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const CANCELLED = OUTCOMES.cancelled

/** A session that a turn has had, and that is free. */
async function openedOnce({ registry }: World): Promise<void> {
  await registry.createSession({ sessionId: 's', turnId: 'first' })
  await registry.leaveSession('s', 'first')
}

const queue = ({ registry }: World, id: string) =>
  registry.register(registration({ id }), { turnOf: 's', isDueAtOnce: true })

/** A turn as sessions have them, with something to say. */
const say = ({ registry }: World, id: string, whenBusy: 'wait' | 'refuse' = 'wait') =>
  registry.register(registration({ id, input: sessionTurn({ sessionId: 's' }) }), { turnOf: 's', whenBusy })

/** A turn as a wake makes it. */
const sayWake = ({ registry }: World, id: string) => {
  const input = { ...sessionTurn({ sessionId: 's' }), turnInput: `news of ${id}` }
  const provenance = {
    originator: { type: 'session', scope: { sessionId: 's' } },
    causedBy: { type: 'process_event', processId: 'teller', sequence: 1 },
  } as const
  return registry.register(registration({ id, input, provenance }), { turnOf: 's' })
}

const heard = async ({ registry }: World) =>
  ((await registry.loadSession('s'))?.entries ?? []).map(
    ({ position, turnId, message }) => [position, turnId, message] as const,
  )

/** Opens the session for the turn; or who is in its way, where its turn will come. */
const open = async ({ registry }: World, turnId: string): Promise<string | undefined> => {
  try {
    return (await registry.createSession({ sessionId: 's', turnId })).type
  } catch (error) {
    return `behind ${turnAhead(error)}`
  }
}

async function end(world: World, id: string, outcome: Outcome = COMPLETED): Promise<void> {
  await world.registry.completeWithLease(await world.run(id), outcome)
}

export function waitingTurnCases(it: Case): void {
  it('one that is not to wait is refused while another has the session or waits for it, and leaves nothing', async world => {
    await openedOnce(world)
    await say(world, 'a', 'refuse')
    await refused(say(world, 'b', 'refuse'), 'session_busy')
    expect(await world.registry.get('b')).toBeUndefined()
    await open(world, 'a')
    await refused(say(world, 'b', 'refuse'), 'session_busy')
    await say(world, 'c')
    await end(world, 'a')
    await refused(say(world, 'b', 'refuse'), 'session_busy')
    await end(world, 'c')
    expect(await say(world, 'b', 'refuse')).toMatchObject({ type: 'registered' })
  })

  it('those that wait are listed with what they say, but for those that ended or are cancelled', async world => {
    await openedOnce(world)
    for (const id of ['a', 'b', 'c', 'd']) await say(world, id)
    await end(world, 'b')
    await world.registry.requestCancel('c')
    expect(await world.registry.waitingInputs('s')).toEqual([
      { turnId: 'a', input: { text: 'go on' } },
      { turnId: 'd', input: { text: 'go on' } },
    ])
    expect(await world.registry.waitingInputs('ghost')).toEqual([])
  })

  it('turns have their session in the order in which they were registered', async world => {
    await openedOnce(world)
    for (const id of ['b', 'a', 'c']) await queue(world, id)
    expect(await open(world, 'a')).toBe('behind b')
    expect(await open(world, 'c')).toBe('behind b')
    expect(await open(world, 'b')).toBe('reopened')
    expect(await open(world, 'b')).toBe('existing')
    expect(await open(world, 'c')).toBe('behind b')
    await world.registry.leaveSession('s', 'b')
    expect(await open(world, 'c')).toBe('behind a')
    expect(await open(world, 'a')).toBe('reopened')
    await world.registry.leaveSession('s', 'a')
    expect(await open(world, 'c')).toBe('reopened')
  })

  it('a turn that ends without having begun makes way, whether it is still there or pruned', async world => {
    await openedOnce(world)
    for (const id of ['a', 'b', 'c']) await queue(world, id)
    await end(world, 'a')
    await end(world, 'b')
    await world.registry.prune({ before: Number.MAX_SAFE_INTEGER })
    expect(await open(world, 'c')).toBe('reopened')
  })

  it('a turn that was pruned makes way also when nothing tells of it any more', async world => {
    await openedOnce(world)
    for (const id of ['a', 'b']) await queue(world, id)
    await end(world, 'a')
    await world.registry.prune({ before: Number.MAX_SAFE_INTEGER })
    await world.registry.compactTombstones(Number.MAX_SAFE_INTEGER)
    expect(await open(world, 'b')).toBe('reopened')
  })

  it('a session whose turn ended without leaving it is free for good when that was pruned', async world => {
    await openedOnce(world)
    await say(world, 'a')
    await open(world, 'a')
    await end(world, 'a')
    await world.registry.prune({ before: Number.MAX_SAFE_INTEGER })
    await world.registry.compactTombstones(Number.MAX_SAFE_INTEGER)
    expect(await open(world, 'plain')).toBe('reopened')
  })

  it('a turn that was not registered for the session comes after those that were, and waits for none', async world => {
    await openedOnce(world)
    await queue(world, 'a')
    await refused(world.registry.createSession({ sessionId: 's', turnId: 'plain' }), 'session_busy')
    expect(await open(world, 'plain')).toBe('behind undefined')
    await end(world, 'a')
    expect(await open(world, 'plain')).toBe('reopened')
  })

  it('what the turn of a wake has not said is told by the next one, whether it had its turn or not (§6 #58)', async world => {
    await openedOnce(world)
    for (const id of ['wake:1', 'wake:2']) await sayWake(world, id)
    await say(world, 'next')
    await open(world, 'wake:1')
    await end(world, 'wake:1', CANCELLED)
    await end(world, 'wake:2', CANCELLED)
    expect(await heard(world)).toEqual([])
    expect(await open(world, 'next')).toBe('reopened')
    expect(await heard(world)).toEqual([
      [1, 'wake:1', { role: 'user', content: 'news of wake:1' }],
      [2, 'wake:2', { role: 'user', content: 'news of wake:2' }],
    ])
    expect((await world.registry.loadSession('s'))?.session.lastPosition).toBe(2)
    const own = { turnId: 'next', after: 2, entries: [{ kind: 'message', message: 'own' }] } as const
    expect(await world.registry.appendToSession('s', own)).toEqual({ lastPosition: 3 })
  })

  it('what it has said itself, or another turn for it, is not told again; what a user sent is not told at all', async world => {
    const { registry } = world
    await openedOnce(world)
    for (const id of ['wake:1', 'wake:2']) await sayWake(world, id)
    await say(world, 'sent')
    await open(world, 'wake:1')
    const mark = { leasehold: { turnId: 'wake:2' } }
    const entries = [{ role: 'user' }, { role: 'user', providerOptions: mark }].map(message => ({
      kind: 'message' as const,
      message,
    }))
    await registry.appendToSession('s', { turnId: 'wake:1', after: 0, entries })
    await end(world, 'wake:1', CANCELLED)
    await open(world, 'wake:2')
    await end(world, 'wake:2', CANCELLED)
    await open(world, 'sent')
    await end(world, 'sent', CANCELLED)
    expect(await open(world, 'plain')).toBe('reopened')
    expect((await heard(world)).map(([, turnId]) => turnId)).toEqual(['wake:1', 'wake:1'])
  })

  it('what the turn of a wake has not said stays when it is pruned', async world => {
    await openedOnce(world)
    await sayWake(world, 'wake:1')
    await open(world, 'wake:1')
    await end(world, 'wake:1', CANCELLED)
    await world.registry.prune({ before: Number.MAX_SAFE_INTEGER })
    expect(await heard(world)).toMatchObject([[1, 'wake:1', { content: 'news of wake:1' }]])
  })

  it('the same turn registered again keeps its one place', async world => {
    await openedOnce(world)
    for (const id of ['a', 'b', 'a']) await queue(world, id)
    expect(await open(world, 'a')).toBe('reopened')
    await world.registry.leaveSession('s', 'a')
    expect(await open(world, 'b')).toBe('reopened')
  })

  it('turns that are registered at once have a place each', async world => {
    await openedOnce(world)
    const ids = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(ids.map(id => queue(world, id)))
    const order: string[] = []
    for (let round = 0; round < ids.length; round++) {
      for (const id of ids.filter(one => !order.includes(one))) {
        if ((await open(world, id)) === 'reopened') order.push(id)
      }
      await world.registry.leaveSession('s', order.at(-1) ?? '')
    }
    expect(order.toSorted()).toEqual(ids)
  })

  it('a session that is not there has no turns, and the process is not registered', async world => {
    await refused(queue(world, 'a'), 'session_unknown')
    expect(await world.registry.get('a')).toBeUndefined()
  })

  it('a session that a turn waits for is not deleted', async world => {
    await openedOnce(world)
    await queue(world, 'a')
    await refused(world.registry.deleteSession('s'), 'session_busy')
    await end(world, 'a')
    expect(await world.registry.deleteSession('s')).toBe(true)
  })

  it('a look tells a session that was deleted from one that never was (§6 #61)', async world => {
    const { registry } = world
    expect(await registry.findSession('s')).toEqual({ type: 'absent' })
    await openedOnce(world)
    expect(await registry.findSession('s')).toMatchObject({ type: 'present', session: { sessionId: 's' } })
    await registry.deleteSession('s')
    expect(await registry.findSession('s')).toEqual({ type: 'deleted' })
    await registry.createSession({ sessionId: 's', turnId: 'again' })
    expect(await registry.findSession('s')).toMatchObject({ type: 'present' })
  })

  it('what is left of a deleted session goes with the tombstones of its time', async world => {
    const { registry, clock } = world
    await openedOnce(world)
    await registry.deleteSession('s')
    await registry.compactTombstones(clock.now())
    expect(await registry.findSession('s')).toEqual({ type: 'deleted' })
    await registry.compactTombstones(clock.now() + 1)
    expect(await registry.findSession('s')).toEqual({ type: 'absent' })
  })
}
