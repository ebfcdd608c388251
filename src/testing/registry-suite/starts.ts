import { expect } from 'vitest'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { registration, TTL } from './fixtures.ts'
import { type Case, refused } from './harness.ts'

const startEntry = (lease: ProcessLease): Omit<JournalEntry, 'value'> => ({
  processId: lease.processId,
  epoch: 0,
  position: 1,
  address: 'start.child#1',
  kind: 'start',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: 'op_1',
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 1,
})

const CHILD = registration({ id: 'child' })

/** Starts by a running process. */
export function startCases(it: Case): void {
  it('row and journal entry are one write', async ({ registry, register, start }) => {
    const lease = await start(await register())
    const entry = startEntry(lease)
    const answer = await registry.register(CHILD, { journal: { lease, entry } })
    expect(answer).toMatchObject({ type: 'registered', record: { id: 'child' } })
    expect(await registry.journal(lease.processId)).toEqual([
      { ...entry, value: { id: 'child', started: true } },
    ])
  })

  it('one that was there before is journaled as that', async ({ registry, register, start }) => {
    const lease = await start(await register())
    await registry.register(CHILD)
    await registry.register(CHILD, { journal: { lease, entry: startEntry(lease) } })
    expect(await registry.journal(lease.processId)).toMatchObject([
      { value: { id: 'child', started: false } },
    ])
  })

  it('a superseded attempt starts nothing', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    const stale = await world.start(id)
    clock.advance(TTL)
    await world.start(id)
    const journal = { lease: stale, entry: startEntry(stale) }
    await refused(registry.register(CHILD, { journal }), 'process_lease_lost')
    expect(await registry.get('child')).toBeUndefined()
    expect(await registry.journal(id)).toEqual([])
  })

  it('what is refused leaves no entry', async ({ registry, register, start }) => {
    const lease = await start(await register())
    await registry.register(CHILD)
    const other = registration({ id: 'child', maxAttempts: 7 })
    const journal = { lease, entry: startEntry(lease) }
    await refused(registry.register(other, { journal }), 'process_registration_conflict')
    expect(await registry.journal(lease.processId)).toEqual([])
  })
}
