import { expect } from 'vitest'
import { operationIdOf } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import { ANA, BEN, COMPLETED, registration, TTL } from './fixtures.ts'
import { expectFold } from './fold.ts'
import { type Case, refused, type World } from './harness.ts'

const FAR = Number.MAX_SAFE_INTEGER
const WAKING: Partial<RegistrationRequest> = {
  wakeTarget: { sessionId: 's' },
  eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake: { input: 'payload' } } }],
}

/** One life of `p`, ended and pruned: three events, a journal entry and one lease. */
async function pruned(world: World, patch: Partial<RegistrationRequest> = {}): Promise<ProcessLease> {
  const { registry } = world
  await world.register(patch)
  const lease = await world.start('p')
  await registry.saveJournalEntry(lease, entryOf(lease))
  await registry.append('p', { eventType: 'process.waiting', payload: 'old', replayKey: 'k' })
  await registry.completeWithLease(lease, COMPLETED)
  expect(await registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 1, prunedEvents: 3 })
  return lease
}

const entryOf = (lease: ProcessLease) =>
  ({
    processId: lease.processId,
    epoch: 0,
    position: 1,
    address: 'pay#1',
    kind: 'step',
    effect: 'once',
    digest: 'd',
    status: 'done',
    operationId: 'op',
    attempt: 'a',
    fence: lease.fencingToken,
    startedAtMs: 1,
  }) as const

const again = ({ registry }: World, patch: Partial<RegistrationRequest> = {}) =>
  registry.register(registration(patch), { reuse: true })

export function reuseCases(it: Case): void {
  it('is refused unless the start says so, the same registration too', async world => {
    await pruned(world)
    for (const request of [registration(), registration({ disposition: 'owner_bound' })]) {
      for (const options of [{}, { reuse: false }, { sameId: 'request' } as const]) {
        await refused(world.registry.register(request, options), 'process_no_longer_retained')
      }
    }
    expect(await world.registry.get('p')).toBeUndefined()
  })

  it('is a new process: of the old one nothing is left but where its numbers stood', async world => {
    const { registry, clock } = world
    await pruned(world)
    clock.advance(7)
    const { type, record } = await again(world, {
      disposition: 'owner_bound',
      input: { type: 'engine', kind: 'other', payload: 2 },
    })
    expect(type).toBe('registered')
    expect(record).toMatchObject({
      status: 'running',
      disposition: 'owner_bound',
      createdAtMs: clock.now(),
      attempts: 0,
      lastSequence: 3,
    })
    expect(await registry.get('p')).toMatchObject({ lastSequence: 3, status: 'running' })
    expect(await registry.tombstone('p')).toBeUndefined()
    expect(await registry.getLease('p')).toBeUndefined()
    expect(await registry.eventsAfter('p', 0)).toEqual([])
    expect(await registry.journal('p')).toEqual([])
    expect(await registry.msUntilDue()).toBe(2_000)
  })

  it('its sequences go on above the old ones, without a gap', async world => {
    await pruned(world)
    await again(world)
    for (const sequence of [4, 5]) {
      const { type, event } = await world.registry.append('p', {
        eventType: 'note',
        payload: sequence,
        replayKey: sequence === 4 ? 'k' : 'another',
      })
      expect({ type, sequence: event.sequence }).toEqual({ type: 'appended', sequence })
    }
    expect((await world.registry.eventsAfter('p', 0)).map(({ sequence }) => sequence)).toEqual([4, 5])
  })

  it('its fences go on above the old ones, so that the old holder writes nothing', async world => {
    const { registry } = world
    const old = await pruned(world)
    await again(world)
    await refused(registry.completeWithLease(old, COMPLETED), 'process_lease_lost')
    await refused(registry.renew(old, TTL), 'process_lease_lost')
    await refused(registry.reacquire(old, TTL), 'process_lease_lost')
    const lease = await world.start('p', { worker: BEN })
    expect(lease.fencingToken).toBe(old.fencingToken + 1)
    await refused(registry.saveJournalEntry(old, entryOf(old)), 'process_lease_lost')
    await refused(registry.enterBody(old, ANA), 'process_lease_lost')
    await refused(registry.park(old, []), 'process_lease_lost')
    await refused(registry.completeWithLease(old, COMPLETED), 'process_lease_lost')
    expect(await registry.completeWithLease(lease, COMPLETED)).toMatchObject({ status: 'completed' })
  })

  it('its operation ids are new', async world => {
    const { record: first } = await world.registry.register(registration())
    await world.registry.completeWithLease(await world.start('p'), COMPLETED)
    await world.registry.prune({ before: FAR })
    const { record: second } = await again(world)
    expect(second.incarnation).not.toBe(first.incarnation)
    const [one, two] = [first, second].map(record => operationIdOf({ ...record, epoch: 0 }, 'pay#1'))
    expect(one).not.toBe(two)
  })

  it('its wakes are none that the session has heard', async world => {
    const { registry } = world
    await world.register(WAKING)
    const first = await registry.append('p', { eventType: 'news', payload: 'a' })
    for (const claim of (await registry.claimWakes()).claims)
      await registry.settleWake(claim, { type: 'enqueued' })
    await registry.completeWithLease(await world.run('p'), COMPLETED)
    await registry.prune({ before: FAR })
    await again(world, WAKING)
    const second = await registry.append('p', { eventType: 'news', payload: 'a' })
    expect(second.wakeDelivery?.wakeId).not.toBe(first.wakeDelivery?.wakeId)
    expect((await registry.claimWakes()).claims).toHaveLength(1)
  })

  it('the feed tells of the new process', async world => {
    const { registry } = world
    await pruned(world)
    const cursor = await registry.latestChange()
    await again(world)
    const page = await registry.changesSince(cursor, 10)
    expect(page.changes).toMatchObject([
      { id: 'p', status: 'running', isCancelRequested: false, isPruned: false },
    ])
  })

  it('the first grant is given with it, and the old ones are gone', async world => {
    const { registry } = world
    await world.register()
    await registry.grant({ sessionId: 'old' }, 'p')
    await registry.completeWithLease(await world.run('p'), COMPLETED)
    await registry.prune({ before: FAR })
    await registry.register(registration(), { reuse: true, grant: { scope: { sessionId: 'new' } } })
    expect(await registry.grantsForProcess('p')).toMatchObject([{ sessionId: 'new' }])
  })

  it('the permission is of no effect where the process is still there, or never was', async world => {
    expect(await again(world)).toMatchObject({ type: 'registered', record: { lastSequence: 0 } })
    expect(await again(world)).toMatchObject({ type: 'existing' })
    await refused(again(world, { disposition: 'owner_bound' }), 'process_registration_conflict')
    await world.registry.completeWithLease(await world.run('p'), COMPLETED)
    expect(await again(world)).toMatchObject({ type: 'existing', record: { status: 'completed' } })
  })

  it('of many at once, one is registered and all get it', async world => {
    await pruned(world)
    const results = await Promise.all(Array.from({ length: 6 }, () => again(world)))
    expect(results.filter(({ type }) => type === 'registered')).toHaveLength(1)
    expect(new Set(results.map(({ record }) => record.incarnation)).size).toBe(1)
    expect(await world.run('p')).toMatchObject({ fencingToken: 2 })
  })

  it('while it is being pruned, an id is registered after it, or existed before', async world => {
    const { registry } = world
    for (let round = 0; round < 10; round++) {
      await again(world)
      await registry.completeWithLease(await world.run('p'), COMPLETED)
      const [, result] = await Promise.all([registry.prune({ before: FAR }), again(world)])
      const record = await registry.get('p')
      const isNew = result.type === 'registered'
      expect(record?.incarnation).toBe(isNew ? result.record.incarnation : undefined)
    }
  })

  it('pruned once more, its tombstone says where it stands now', async world => {
    await pruned(world)
    await again(world)
    const lease = await world.start('p')
    await world.registry.completeWithLease(lease, COMPLETED)
    expect(await world.registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 1, prunedEvents: 2 })
    expect(await world.registry.tombstone('p')).toMatchObject({ fence: 2, lastSequence: 5 })
  })

  it('its record is a fold of its own log (§6 #45)', async world => {
    await pruned(world)
    const { lastSequence } = (await again(world)).record
    await expectFold(world, 'p', { lastSequence })
    await world.registry.append('p', { eventType: 'note', payload: null })
    await expectFold(world, 'p', { lastSequence })
    await world.registry.completeWithLease(await world.start('p'), COMPLETED)
    await expectFold(world, 'p', { lastSequence })
  })
}
