import { expect } from 'vitest'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { TTL } from './fixtures.ts'
import { type Case, refused } from './harness.ts'

const entry = (lease: ProcessLease, position: number, patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: lease.processId,
  epoch: 0,
  position,
  address: `step#${position}`,
  kind: 'step',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: `op_${position}`,
  value: position,
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 2,
  ...patch,
})

export function forkCases(it: Case): void {
  it('a fork has the journal up to the step, and is due at once', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    const entries = [1, 2, 3].map(position => entry(lease, position))
    for (const one of entries) await registry.saveJournalEntry(lease, one)
    const { type, record } = await registry.fork(id, { from: 'step#3', id: 'fork' })
    expect(type).toBe('registered')
    expect(record).toMatchObject({
      id: 'fork',
      status: 'running',
      attempts: 0,
      input: (await registry.get(id))?.input,
      provenance: { causedBy: { type: 'process', processId: id } },
    })
    expect(await registry.journal('fork')).toEqual(
      entries.slice(0, 2).map(one => ({ ...one, processId: 'fork' })),
    )
    expect(await registry.getLease('fork')).toBeUndefined()
    expect((await registry.dueProcesses(10)).map(due => due.record.id)).toContain('fork')
    expect(await registry.journal(id)).toEqual(entries)
  })

  it('of a later epoch it has the state as well', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    await registry.startEpoch(lease, { epoch: 1, state: { seen: 7 } })
    await registry.saveJournalEntry(lease, entry(lease, 1, { epoch: 1 }))
    await registry.fork(id, { from: 'step#1', id: 'fork' })
    expect(await registry.journal('fork')).toMatchObject([{ kind: 'state', epoch: 0, value: { seen: 7 } }])
  })

  it('waits under way and emitted events are left to be made anew; a once step stays what it is', async ({
    registry,
    ...world
  }) => {
    const id = await world.register()
    const lease = await world.start(id)
    const claimed = { effect: 'once', status: 'claimed', startByMs: TTL } as const
    await registry.saveJournalEntry(lease, entry(lease, 1, { kind: 'sleep', status: 'claimed' }))
    await registry.saveJournalEntry(lease, entry(lease, 2, claimed))
    await registry.saveJournalEntry(lease, entry(lease, 3, { kind: 'emit' }))
    await registry.saveJournalEntry(lease, entry(lease, 4))
    await registry.fork(id, { from: 'step#4', id: 'fork' })
    expect(await registry.journal('fork')).toMatchObject([{ address: 'step#2', ...claimed }])
  })

  it('the same fork again is the one that exists; another use of its id conflicts', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.saveJournalEntry(lease, entry(lease, 1))
    await registry.fork(id, { from: 'step#1', id: 'fork' })
    expect(await registry.fork(id, { from: 'step#1', id: 'fork' })).toMatchObject({ type: 'existing' })
    await refused(registry.fork(id, { from: 'step#1', id }), 'process_registration_conflict')
  })

  it('a step that is not in the journal is refused, and nothing registered', async world => {
    const { registry } = world
    const id = await world.register()
    await refused(registry.fork(id, { from: 'nothing#1', id: 'fork' }), 'step_not_found')
    expect(await registry.get('fork')).toBeUndefined()
  })
}
