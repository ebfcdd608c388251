import { expect } from 'vitest'
import type { ChangeCursor } from '../../model/ids.ts'
import type { EndedPlace, PruneRequest } from '../../model/retention.ts'
import { ownSessions } from '../../model/session.ts'
import { watchRegistry } from '../../registry/watch.ts'
import { ANA, COMPLETED, changedIds, EXTERNAL, OUTCOMES, TTL, timer } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

/** Later than anything that a case does. */
const FAR = Number.MAX_SAFE_INTEGER

/** Registers a process, runs it and ends it; a millisecond passes first, so that the one before it is older. */
export async function ended(world: World, id: string, patch: Parameters<World['register']>[0] = {}) {
  world.clock.advance(1)
  await world.register({ id, ...patch })
  return world.registry.completeWithLease(await world.start(id), COMPLETED)
}

/** The ids that are still there. */
const ids = async ({ registry }: World): Promise<string[]> =>
  (await registry.list({ status: 'any' }, { limit: 1_000 })).records.map(({ id }) => id)

/** Prunes page by page, and returns the sizes of the pages. */
async function pages({ registry }: World, request: PruneRequest, limit: number): Promise<number[]> {
  const sizes: number[] = []
  let after: EndedPlace | undefined
  do {
    const page = await registry.prune(request, { limit, ...(after === undefined ? {} : { after }) })
    sizes.push(page.prunedProcesses)
    after = page.next
  } while (after !== undefined)
  return sizes
}

export function pruneCases(it: Case): void {
  it('takes what ended before the time, with its log and its grants, and nothing else (§6 #126)', async world => {
    const { registry } = world
    await world.register({ id: 'live' })
    await ended(world, 'old')
    await registry.grant({ sessionId: 's' }, 'old')
    const log = await registry.eventsAfter('old', 0)
    const { updatedAtMs } = await ended(world, 'fresh')
    expect(await registry.prune({ before: updatedAtMs })).toEqual({
      prunedProcesses: 1,
      prunedEvents: log.length,
      kept: [],
    })
    expect(await ids(world)).toEqual(['fresh', 'live'])
    expect(await registry.listGrants({ sessionId: 's' })).toEqual([])
    expect(await registry.hasGrant({ sessionId: 's' }, 'old')).toBe(false)
  })

  it('a plan says what the same prune would take and keep, page by page, and writes nothing', async world => {
    const { registry } = world
    for (const id of ['a', 'b', 'c', 'd']) await ended(world, id)
    await world.register({ id: 'live' })
    const on = { type: 'event', processId: 'b', eventType: 'process.waiting', after: 0 } as const
    await registry.setWait('live', { key: 'w', sinceMs: 1, on })
    const { updatedAtMs } = await ended(world, 'fresh')
    const request = { before: updatedAtMs }
    const change = await registry.latestChange()
    const first = await registry.planPrune(request, { limit: 3 })
    expect(first).toMatchObject({ goes: ['a', 'c'], kept: [{ id: 'b', reason: 'awaited' }] })
    const { next } = first
    const rest = await registry.planPrune(request, {
      limit: 3,
      ...(next === undefined ? {} : { after: next }),
    })
    expect(rest).toEqual({ goes: ['d'], kept: [] })
    expect(await registry.planPrune({ ...request, filter: { status: 'failed' } })).toMatchObject({ goes: [] })
    expect(await registry.latestChange()).toEqual(change)
    expect(await ids(world)).toEqual(['a', 'b', 'c', 'd', 'fresh', 'live'])
    expect(await registry.prune(request)).toMatchObject({ prunedProcesses: 3, kept: first.kept })
    expect(await ids(world)).toEqual(['b', 'fresh', 'live'])
    await refused(registry.planPrune(request, { limit: 0 }), 'usage')
  })

  it('leaves nothing of a process that was woken from, granted, journaled and leased (§6 #127)', async world => {
    const { registry } = world
    const wake = { input: 'payload' } as const
    await world.register({
      id: 'old',
      wakeTarget: { sessionId: 's' },
      eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake } }],
    })
    for (const payload of ['a', 'b']) await registry.append('old', { eventType: 'news', payload })
    await registry.ackWake('old', 1)
    for (let round = 0; round < 2; round++) {
      for (const claim of (await registry.claimWakes()).claims) {
        await registry.settleWake(claim, { type: 'enqueued' })
      }
    }
    await registry.grant({ sessionId: 's' }, 'old')
    await registry.completeWithLease(await world.start('old'), COMPLETED)
    await registry.claim('old', ANA, TTL)
    expect(await registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 1, kept: [] })
    expect(await registry.get('old')).toBeUndefined()
    expect(await registry.getLease('old')).toBeUndefined()
    expect(await registry.lastHolder('old')).toBeUndefined()
    expect(await registry.listGrants({ sessionId: 's' })).toEqual([])
    expect(await registry.blockedGroups()).toEqual([])
    expect(await registry.prune({ before: FAR })).toEqual({ prunedProcesses: 0, prunedEvents: 0, kept: [] })
  })

  it('takes its own sessions and its pending calls along, and no other', async ({ registry, ...world }) => {
    await world.register({ id: 'old' })
    const lease = await world.start('old')
    await registry.openCall(lease, { key: 'k' })
    const { environment, turn } = ownSessions('old')
    const sessions = [environment, turn, 'shared']
    for (const sessionId of sessions) {
      await registry.createSession({ sessionId, turnId: 'old' })
      const message = { role: 'user', content: 'hello' }
      await registry.appendToSession(sessionId, {
        ...{ turnId: 'old', after: 0 },
        entries: [{ kind: 'message', message }],
      })
    }
    await registry.completeWithLease(lease, COMPLETED)
    await registry.prune({ before: FAR })
    expect(await registry.pendingCall('k')).toBeUndefined()
    const left = await Promise.all(sessions.map(sessionId => registry.loadSession(sessionId)))
    expect(left.map(session => session?.entries.length)).toEqual([undefined, undefined, 1])
  })

  it('never takes what has not ended, however old (§6 #128)', async world => {
    const { registry, clock, register } = world
    await register({ id: 'new' })
    await register({ id: 'theirs', ...EXTERNAL })
    await register({ id: 'cancelled' })
    await registry.requestCancel('cancelled')
    for (const id of ['held', 'parked']) await register({ id })
    await world.start('held')
    await registry.park(await world.start('parked'), [timer('nap', clock.now())])
    await register({ id: 'silent', disposition: 'owner_bound' })
    await world.start('silent')
    clock.advance(TTL + 1)
    expect(await world.begin('silent')).toEqual({ type: 'silent' })
    const before = await ids(world)
    clock.advance(1_000_000_000)
    expect(await registry.prune({ before: FAR })).toEqual({ prunedProcesses: 0, prunedEvents: 0, kept: [] })
    expect(await ids(world)).toEqual(before)
  })

  for (const [status, outcome] of Object.entries(OUTCOMES)) {
    it(`takes a process that ended as ${status}`, async world => {
      await world.register({ id: 'old' })
      await world.registry.completeWithLease(await world.start('old'), outcome)
      expect(await world.registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 1 })
      expect(await world.registry.tombstone('old')).toMatchObject({ status })
    })
  }

  const FILTERS: Readonly<Record<string, NonNullable<PruneRequest['filter']>>> = {
    status: { status: 'failed' },
    kind: { identityKind: 'turn' },
    label: { identityLabel: 'weekly' },
    definition: { definition: { v: 1 } },
    originator: { originatorScopeId: 'session:s' },
    occurrence: { causedByOccurrenceId: 'o' },
    subscription: { causedBySubscriptionId: 'u' },
    'time of creation': { createdAtStartMs: 1_000_000, createdAtEndMs: 1_000_000_000_000_000 },
  }
  for (const [what, filter] of Object.entries(FILTERS)) {
    it(`takes only those that fit its filter: by ${what} (§6 #129)`, async world => {
      const { registry, clock } = world
      await ended(world, 'other', { identity: { kind: 'survey', label: 'daily', definition: { v: 2 } } })
      const late = clock.now() + 1_000
      clock.advance(1_000)
      await world.register({
        id: 'meant',
        identity: { kind: 'turn', label: 'weekly', definition: { v: 1 } },
        provenance: {
          originator: { type: 'session', scope: { sessionId: 's' } },
          causedBy: { type: 'trigger_occurrence', occurrenceId: 'o', subscriptionId: 'u' },
        },
      })
      await registry.completeWithLease(await world.start('meant'), OUTCOMES.failed)
      const asked = 'createdAtStartMs' in filter ? { ...filter, createdAtStartMs: late } : filter
      expect(await registry.prune({ before: FAR, filter: asked })).toMatchObject({ prunedProcesses: 1 })
      expect(await ids(world)).toEqual(['other'])
    })
  }

  it('takes only what a reader of the feed has seen (§6 #129)', async world => {
    const { registry } = world
    for (const id of ['a', 'b', 'c']) await ended(world, id)
    const seen = await registry.changesSince('' as ChangeCursor, 2)
    expect(changedIds(seen)).toEqual(['a', 'b'])
    await registry.append('b', { eventType: 'note', payload: 'late' })
    expect(await registry.prune({ before: FAR, upTo: seen.next })).toMatchObject({ prunedProcesses: 1 })
    expect(await ids(world)).toEqual(['b', 'c'])
    expect(await registry.prune({ before: FAR, upTo: '' as ChangeCursor })).toMatchObject({
      prunedProcesses: 0,
    })
    expect(await registry.prune({ before: FAR, upTo: await registry.latestChange() })).toMatchObject({
      prunedProcesses: 2,
    })
  })

  it('counts the age from the last change, not from the end', async world => {
    const { registry, clock } = world
    const { updatedAtMs } = await ended(world, 'old')
    clock.advance(10)
    await registry.append('old', { eventType: 'note', payload: 'late' })
    expect(await registry.prune({ before: updatedAtMs + 10 })).toMatchObject({ prunedProcesses: 0 })
    expect(await registry.prune({ before: updatedAtMs + 11 })).toMatchObject({ prunedProcesses: 1 })
  })

  it('ticks nobody (§6 #130)', async world => {
    await ended(world, 'old')
    const watched = watchRegistry(world.registry)
    const ticks: string[] = []
    const heard = Promise.withResolvers<void>()
    const stops = [
      watched.hub.subscribe('old', () => ticks.push('old')),
      watched.hub.subscribe('next', () => heard.resolve()),
    ]
    // The first tick says that the feed is followed from here on.
    await expect.poll(() => ticks).toEqual(['old'])
    await watched.prune({ before: FAR })
    await world.register({ id: 'next' })
    await heard.promise
    expect(ticks).toEqual(['old'])
    for (const stop of stops) stop()
  })

  it('goes page by page, the oldest first', async world => {
    for (const id of ['d', 'b', 'e', 'a', 'c']) await ended(world, id)
    const page = await world.registry.prune({ before: FAR }, { limit: 2 })
    expect(page).toMatchObject({ prunedProcesses: 2 })
    expect(await ids(world)).toEqual(['a', 'c', 'e'])
    expect(await pages(world, { before: FAR }, 2)).toEqual([2, 1])
  })

  it('passes over what it keeps, whatever the pages', async world => {
    const { registry } = world
    for (const id of ['a', 'b', 'c', 'd']) await ended(world, id)
    await world.register({ id: 'waiter' })
    for (const processId of ['b', 'c']) {
      const on = { type: 'event', processId, eventType: 'note', after: 9 } as const
      await registry.setWait('waiter', { key: processId, sinceMs: 1, on })
    }
    expect(await pages(world, { before: FAR }, 1)).toEqual([1, 0, 0, 1, 0])
    expect(await ids(world)).toEqual(['b', 'c', 'waiter'])
  })

  it('takes many processes of one moment, page by page', async world => {
    const names = Array.from({ length: 25 }, (_, index) => `p${String(index).padStart(2, '0')}`)
    for (const id of names) await world.register({ id, ...EXTERNAL })
    for (const id of names) {
      const authority = { authority: 'external_owner', grantedTo: 's' } as const
      await world.registry.complete(id, COMPLETED, authority)
    }
    expect(await pages(world, { before: FAR }, 10)).toEqual([10, 10, 5])
  })

  it('two at once take each process once', async world => {
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`)
    for (const id of names) await ended(world, id)
    const reports = await Promise.all([1, 2, 3].map(() => world.registry.prune({ before: FAR })))
    expect(reports.reduce((sum, { prunedProcesses }) => sum + prunedProcesses, 0)).toBe(names.length)
    expect(await ids(world)).toEqual([])
  })

  it('against late events, a process is gone or has them all', async world => {
    const { registry } = world
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`)
    for (const id of names) await ended(world, id)
    const appended = names.map(id => registry.append(id, { eventType: 'note', payload: 'late' }))
    const [, ...results] = await Promise.all([
      registry.prune({ before: world.clock.now() }),
      ...appended.map(one => one.then(() => 'appended').catch(error => error.code)),
    ])
    for (const [index, result] of results.entries()) {
      const record = await registry.get(`p${index}`)
      if (result === 'appended' && record === undefined) {
        // Both, in this order: it changed and was old enough all the same.
        expect(await registry.tombstone(`p${index}`)).toMatchObject({ lastSequence: 3 })
      } else if (result === 'appended') expect(record).toMatchObject({ lastSequence: 3 })
      else expect({ result, record }).toEqual({ result: 'process_no_longer_retained', record: undefined })
    }
  })

  it('refuses a request that it does not understand', async ({ registry }) => {
    for (const request of [
      { before: 1.5 },
      { before: FAR, filter: { status: 'running' } },
      { before: FAR, filter: { waiting: false } },
      { before: FAR, after: 1 },
    ]) {
      await refused(registry.prune(request as PruneRequest), 'usage')
    }
    for (const limit of [0, 1_001, 0.5]) {
      await refused(registry.prune({ before: FAR }, { limit }), 'usage')
      await refused(registry.compactTombstones(FAR, limit), 'usage')
    }
  })
}
