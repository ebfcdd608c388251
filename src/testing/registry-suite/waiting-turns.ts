import { expect } from 'vitest'
import { turnAhead } from '../../model/session.ts'
import { COMPLETED, registration, sessionTurn } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

/** A session that a turn has had, and that is closed. */
async function openedOnce({ registry }: World): Promise<void> {
  await registry.createSession({ sessionId: 's', turnId: 'first' })
  await registry.closeSession('s', 'first')
}

const queue = ({ registry }: World, id: string) =>
  registry.register(registration({ id }), { turnOf: 's', isDueAtOnce: true })

/** A turn as sessions have them, with something to say. */
const say = ({ registry }: World, id: string, whenBusy: 'wait' | 'refuse' = 'wait') =>
  registry.register(registration({ id, input: sessionTurn({ sessionId: 's' }) }), { turnOf: 's', whenBusy })

/** Opens the session for the turn; or who is in its way, where its turn will come. */
const open = async ({ registry }: World, turnId: string): Promise<string | undefined> => {
  try {
    return (await registry.createSession({ sessionId: 's', turnId })).type
  } catch (error) {
    return `behind ${turnAhead(error)}`
  }
}

async function end(world: World, id: string): Promise<void> {
  await world.registry.completeWithLease(await world.run(id), COMPLETED)
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
    await world.registry.closeSession('s', 'b')
    expect(await open(world, 'c')).toBe('behind a')
    expect(await open(world, 'a')).toBe('reopened')
    await world.registry.closeSession('s', 'a')
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

  it('a session whose turn ended without closing it is free for good when that was pruned', async world => {
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

  it('the same turn registered again keeps its one place', async world => {
    await openedOnce(world)
    for (const id of ['a', 'b', 'a']) await queue(world, id)
    expect(await open(world, 'a')).toBe('reopened')
    await world.registry.closeSession('s', 'a')
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
      await world.registry.closeSession('s', order.at(-1) ?? '')
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
