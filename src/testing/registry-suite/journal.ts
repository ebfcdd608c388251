import { expect } from 'vitest'
import type { LeaseToken } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import { BEN, COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const entry = (lease: ProcessLease, position: number, patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: lease.processId,
  epoch: 0,
  position,
  address: `read#${position}`,
  kind: 'step',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: `op_${position}`,
  value: { size: position },
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 2,
  ...patch,
})

const claim = (lease: ProcessLease): JournalEntry => {
  const { value: _, endedAtMs: __, ...rest } = entry(lease, 1, { effect: 'once', status: 'claimed' })
  return { ...rest, claimedBy: BEN, startByMs: 99 }
}

export function journalCases(it: Case): void {
  it('a process that has journaled nothing has an empty one', async ({ registry, register }) => {
    expect(await registry.journal(await register())).toEqual([])
  })

  it('entries come back whole, in order of position', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    const entries = [
      entry(lease, 1),
      entry(lease, 2, { status: 'failed', failure: { name: 'E', message: 'm', code: 'c' } }),
      entry(lease, 3, { kind: 'sleep', value: null }),
      entry(lease, 4, {
        effect: 'once',
        resolution: { kind: 'reconcile', answer: 'done', atMs: 3 },
        claimedBy: BEN,
        startByMs: 7,
      }),
    ]
    for (const one of entries.toReversed()) await registry.saveJournalEntry(lease, one)
    expect(await registry.journal(id)).toEqual(entries)
  })

  it('a claim is replaced by its result, at its own position', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    await registry.saveJournalEntry(lease, claim(lease))
    await registry.saveJournalEntry(lease, entry(lease, 2))
    expect(await registry.journal(id)).toEqual([claim(lease), entry(lease, 2)])
    const done = entry(lease, 1, { effect: 'once', value: 'receipt' })
    await registry.saveJournalEntry(lease, done)
    expect(await registry.journal(id)).toEqual([done, entry(lease, 2)])
  })

  it('the next attempt reads what the one before wrote', async ({ registry, clock, register, start }) => {
    const id = await register()
    const first = await start(id)
    await registry.saveJournalEntry(first, entry(first, 1))
    clock.advance(TTL)
    const second = await start(id)
    await registry.saveJournalEntry(second, entry(second, 2))
    expect((await registry.journal(id)).map(({ fence }) => fence)).toEqual([1, 2])
  })

  it('is no change of the row', async world => {
    const id = await world.register()
    const lease = await world.start(id)
    await unchanged(world, id, () => world.registry.saveJournalEntry(lease, entry(lease, 1)))
  })

  it('is closed to a lease that lapsed, was superseded, released or ended', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register()
    const lapsed = await world.start(id)
    clock.advance(TTL)
    await refused(registry.saveJournalEntry(lapsed, entry(lapsed, 1)), 'process_lease_lost')
    const current = await world.start(id)
    await refused(registry.saveJournalEntry(lapsed, entry(lapsed, 1)), 'process_lease_lost')
    await registry.completeWithLease(current, COMPLETED)
    await refused(registry.saveJournalEntry(current, entry(current, 1)), 'process_lease_lost')
    expect(await registry.journal(id)).toEqual([])
  })

  it('is closed to a lease with a made-up token or fence', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    for (const forged of [
      { ...lease, leaseToken: 'guessed' as LeaseToken },
      { ...lease, fencingToken: 2 },
    ]) {
      await refused(registry.saveJournalEntry(forged, entry(lease, 1)), 'process_lease_lost')
    }
    expect(await registry.journal(id)).toEqual([])
  })

  it("is closed to another process's lease", async ({ registry, register, start }) => {
    const [mine, other] = [await register({ id: 'mine' }), await register({ id: 'other' })]
    const lease = await start(mine)
    await start(other)
    const foreign = { ...entry(lease, 1), processId: other }
    await refused(registry.saveJournalEntry(lease, foreign), 'process_lease_lost')
    expect([await registry.journal(mine), await registry.journal(other)]).toEqual([[], []])
  })

  it('a step value above the limit is refused', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    const large = entry(lease, 1, { value: 'x'.repeat(MAX_PAYLOAD_BYTES) })
    await refused(registry.saveJournalEntry(lease, large), 'payload_too_large')
    expect(await registry.journal(id)).toEqual([])
  })

  const emit = { eventType: 'note', payload: 'found', replayKey: 'process:p:event:0:note#1' }

  it('an emitted event and its entry come together', async ({ registry, register, start, record }) => {
    const id = await register()
    const lease = await start(id)
    const { value: _, ...bare } = entry(lease, 1, { kind: 'emit' })
    const { type, event } = await registry.emit(lease, bare, emit)
    expect(type).toBe('appended')
    expect(event).toMatchObject({ sequence: 2, eventType: 'note', payload: 'found' })
    expect(await registry.journal(id)).toEqual([{ ...bare, value: { sequence: 2 } }])
    expect(await registry.eventsAfter(id, 1)).toEqual([event])
    expect(await record(id)).toMatchObject({ lastSequence: 2 })
  })

  it('an event that the next attempt emits again is the recorded one', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const first = await world.start(id)
    const { event } = await registry.emit(first, entry(first, 1, { kind: 'emit' }), emit)
    clock.advance(TTL)
    const second = await world.start(id)
    await unchanged(world, id, async () => {
      const again = entry(second, 1, { kind: 'emit' })
      const replayed = { type: 'replayed', event }
      expect(await registry.emit(second, again, emit)).toEqual(replayed)
      expect(await registry.emit(second, again, { ...emit, payload: 'found later' })).toEqual(replayed)
    })
  })

  it('a superseded attempt emits neither event nor entry', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const stale = await world.start(id)
    clock.advance(TTL)
    await world.start(id)
    await unchanged(world, id, () =>
      refused(registry.emit(stale, entry(stale, 1), emit), 'process_lease_lost'),
    )
    expect(await registry.journal(id)).toEqual([])
  })

  it('an event that may not be emitted leaves no entry', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    const undeclared = { ...emit, eventType: 'nothing' }
    await refused(registry.emit(lease, entry(lease, 1), undeclared), 'process_event_undeclared')
    expect(await registry.journal(id)).toEqual([])
  })

  it('a process that emits its own cancel request is cancelled like any other', async ({
    registry,
    ...world
  }) => {
    const id = await world.register()
    const lease = await world.start(id)
    const cancel = { eventType: 'process.cancel_requested', payload: { reason: 'enough' }, replayKey: 'k' }
    await registry.emit(lease, entry(lease, 1, { kind: 'emit' }), cancel)
    expect(await world.record(id)).toMatchObject({ cancelRequest: { reason: 'enough' } })
  })
}
