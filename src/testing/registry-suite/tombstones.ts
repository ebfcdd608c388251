import { expect } from 'vitest'
import type { ChangeCursor } from '../../model/ids.ts'
import { watchRegistry } from '../../registry/watch.ts'
import { changedIds, OUTCOMES, registration, TTL } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'
import { ended } from './prune.ts'
import { GHOST, UNKNOWN } from './unknown.ts'

const FAR = Number.MAX_SAFE_INTEGER
const BEGINNING = '' as ChangeCursor

/** Ends and prunes a process; it had two events and two leases. */
async function pruned(world: World, id: string): Promise<void> {
  const { registry } = world
  await world.register({ id })
  await registry.endAttempt(await world.start(id), 'shutdown')
  await registry.completeWithLease(await world.run(id), OUTCOMES.failed)
  await registry.prune({ before: FAR })
}

const SUBMISSIONS = ['postponing it', 'recording its submission']

export function tombstoneCases(it: Case): void {
  it('say how and when it ended, and where the numbers stand; nothing else', async world => {
    world.clock.advance(5)
    await pruned(world, 'ghost')
    expect(await world.registry.tombstone('ghost')).toStrictEqual({
      id: 'ghost',
      status: 'failed',
      prunedAtMs: world.clock.now(),
      fence: 2,
      lastSequence: 2,
    })
    expect(await world.registry.tombstone('nobody')).toBeUndefined()
  })

  for (const [what, act] of Object.entries(UNKNOWN)) {
    if (SUBMISSIONS.includes(what)) continue
    it(`${what} fails: it is no longer retained`, async world => {
      await pruned(world, 'ghost')
      const details = { status: 'failed', prunedAtMs: world.clock.now() }
      await expect(act(world.registry)).rejects.toMatchObject({
        ...{ code: 'process_no_longer_retained', processId: 'ghost', details },
      })
      expect(await world.registry.getLease('ghost')).toBeUndefined()
    })
  }

  it('whoever hands a process over that was pruned meanwhile has nothing to record', async world => {
    await pruned(world, 'ghost')
    for (const what of SUBMISSIONS) await UNKNOWN[what]?.(world.registry)
    expect(await world.registry.get('ghost')).toBeUndefined()
    expect(await world.registry.dueProcesses(10)).toEqual([])
  })

  it('reading it, its lease or its last holder finds nothing; requiring its record says why', async world => {
    const { registry } = world
    await pruned(world, 'ghost')
    expect(await registry.get('ghost')).toBeUndefined()
    expect(await registry.getLease('ghost')).toBeUndefined()
    expect(await registry.lastHolder('ghost')).toBeUndefined()
    await refused(registry.requireRecord('ghost'), 'process_no_longer_retained')
    await refused(registry.requireRecord('nobody'), 'process_unknown')
  })

  it('beginning an attempt says unknown; releasing or ending one does nothing', async world => {
    const { registry } = world
    await pruned(world, 'ghost')
    expect(await world.begin('ghost')).toEqual({ type: 'unknown' })
    await registry.release(GHOST)
    await registry.endAttempt(GHOST, 'shutdown')
    await refused(registry.renew(GHOST, TTL), 'process_lease_lost')
    await refused(registry.reacquire(GHOST, TTL), 'process_lease_lost')
  })

  it('waiting for its outcome or following its log says that it is no longer retained', async world => {
    await pruned(world, 'ghost')
    const watched = watchRegistry(world.registry)
    await refused(watched.awaitOutcome('ghost'), 'process_no_longer_retained')
    const following = watched.followEvents('ghost')[Symbol.asyncIterator]()
    await refused(following.next(), 'process_no_longer_retained')
  })

  it('an id that was pruned counts as registered (§6 #211)', async world => {
    await pruned(world, 'ghost')
    await world.register({ id: 'there' })
    expect(await world.registry.filterUnregistered(['new', 'ghost', 'there'])).toEqual(['new'])
  })

  it('the feed tells of each once, at its own place', async world => {
    const { registry } = world
    await world.register({ id: 'before' })
    await ended(world, 'ghost')
    const cursor = await registry.latestChange()
    await registry.prune({ before: FAR })
    const change = {
      id: 'ghost',
      status: 'completed',
      isCancelRequested: false,
      isPruned: true,
      dueAtMs: null,
    }
    const { changes, next } = await registry.changesSince(cursor, 10)
    expect(changes).toEqual([change])
    expect(await registry.changesSince(next, 10)).toEqual({ changes: [], next })
    const latest = await registry.latestChange()
    expect(await registry.changesSince(latest, 10)).toEqual({ changes: [], next: latest })
    await world.register({ id: 'after' })
    const all = await registry.changesSince(BEGINNING, 10)
    expect(changedIds(all)).toEqual(['before', 'ghost', 'after'])
    expect(all.changes.map(({ isPruned }) => isPruned)).toEqual([false, true, false])
    const first = await registry.changesSince(BEGINNING, 1)
    expect((await registry.changesSince(first.next, 1)).changes).toEqual([change])
  })

  it('are forgotten the oldest first, up to a time and a number', async world => {
    const { registry, clock } = world
    for (const id of ['a', 'b', 'c']) {
      clock.advance(10)
      await pruned(world, id)
    }
    const time = clock.now()
    expect(await registry.compactTombstones(time - 20)).toBe(0)
    expect(await registry.compactTombstones(time, 1)).toBe(1)
    expect(await registry.tombstone('a')).toBeUndefined()
    expect(await registry.compactTombstones(time)).toBe(1)
    expect(await registry.compactTombstones(time)).toBe(0)
    await refused(registry.requireRecord('b'), 'process_unknown')
    await refused(registry.requireRecord('c'), 'process_no_longer_retained')
    expect(await registry.filterUnregistered(['a', 'b', 'c'])).toEqual(['a', 'b'])
    expect(changedIds(await registry.changesSince(BEGINNING, 10))).toEqual(['c'])
    expect(await registry.register(registration({ id: 'a' }))).toMatchObject({
      type: 'registered',
      record: { lastSequence: 0 },
    })
    expect(await world.run('a')).toMatchObject({ fencingToken: 1 })
  })

  it('are there after a restart', async world => {
    await pruned(world, 'ghost')
    const before = await world.registry.tombstone('ghost')
    const registry = (await world.reopen?.()) ?? world.registry
    expect(before).toMatchObject({ fence: 2 })
    expect(await registry.tombstone('ghost')).toEqual(before)
    expect(await registry.changesSince(BEGINNING, 10)).toMatchObject({
      changes: [{ id: 'ghost', isPruned: true }],
    })
    await refused(registry.register(registration({ id: 'ghost' })), 'process_no_longer_retained')
  })
}
