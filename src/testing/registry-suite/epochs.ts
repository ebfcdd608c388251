import { expect } from 'vitest'
import { carriedState } from '../../model/epoch.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import type { EpochAnswer, ProcessRegistry } from '../../registry/registry.ts'
import { COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const STATE = { seen: ['a', 'b'] }

const entry = (lease: ProcessLease, epoch: number, patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: lease.processId,
  epoch,
  position: 1,
  address: 'read#1',
  kind: 'step',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: `op_${epoch}`,
  value: null,
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 2,
  ...patch,
})

async function started(
  registry: ProcessRegistry,
  lease: ProcessLease,
  epoch = 1,
): Promise<Extract<EpochAnswer, { process: unknown }>> {
  const answer = await registry.startEpoch(lease, { epoch, state: STATE })
  if (answer.type !== 'started') expect.fail(`the epoch came to ${answer.type}, not to started`)
  return answer
}

export function epochCases(it: Case): void {
  it('a process goes on under its lease, with an empty journal and its state (§6 #205)', async ({
    registry,
    ...world
  }) => {
    const id = await world.register()
    const lease = await world.start(id)
    const events = await world.eventTypes(id)
    await registry.saveJournalEntry(lease, entry(lease, 0))
    const answer = await started(registry, lease)
    expect(answer.process).toMatchObject({ epoch: 1, record: { id, status: 'running', attempts: 1 } })
    expect(carriedState(answer.journal)?.value).toEqual(STATE)
    expect(await registry.journal(id)).toEqual(answer.journal)
    await registry.saveJournalEntry(lease, entry(lease, 1))
    expect((await registry.journal(id)).map(({ epoch, address }) => [epoch, address])).toEqual([
      [1, '#state'],
      [1, 'read#1'],
    ])
    expect(await registry.renew(lease, TTL)).toMatchObject({ fencingToken: lease.fencingToken })
    expect(await world.eventTypes(id)).toEqual(events)
  })

  it('after a crash the last epoch goes on, and none before it (§6 #209)', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register()
    const first = await world.start(id)
    await started(registry, first)
    await started(registry, first, 2)
    clock.advance(TTL)
    const answer = await world.begin(id)
    expect(answer).toMatchObject({ type: 'run', process: { epoch: 2 } })
    expect(carriedState(await registry.journal(id))).toMatchObject({ epoch: 2, value: STATE })
  })

  it('the same rollover again changes nothing, and another one conflicts (§6 #207)', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    const { process, journal } = await started(registry, lease)
    await registry.saveJournalEntry(lease, entry(lease, 1))
    await unchanged(world, id, async () => {
      const again = await registry.startEpoch(lease, { epoch: 1, state: STATE })
      expect(again).toMatchObject({ type: 'replayed', process: { epoch: process.epoch } })
      expect(again).toMatchObject({ journal: [...journal, { address: 'read#1' }] })
      const conflicts: [number, JournalEntry['value']][] = [
        [1, { seen: [] }],
        [0, STATE],
        [3, STATE],
      ]
      for (const [epoch, state = null] of conflicts) {
        await refused(registry.startEpoch(lease, { epoch, state }), 'process_epoch_conflict')
      }
    })
  })

  it('what is written late for the epoch before is refused', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    const { journal } = await started(registry, lease)
    const { value: _, ...bare } = entry(lease, 0)
    const note = { eventType: 'note', payload: null, replayKey: 'process:p:event:0:note#1' }
    await unchanged(world, id, async () => {
      await refused(registry.saveJournalEntry(lease, entry(lease, 0)), 'process_epoch_conflict')
      await refused(registry.saveJournalEntry(lease, entry(lease, 2)), 'process_epoch_conflict')
      await refused(registry.emit(lease, bare, note), 'process_epoch_conflict')
    })
    expect(await registry.journal(id)).toEqual(journal)
  })

  it('one with a recorded cancel does not roll over (§6 #208)', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.requestCancel(id, 'enough')
    await unchanged(world, id, async () => {
      expect(await registry.startEpoch(lease, { epoch: 1, state: STATE })).toEqual({
        type: 'cancel_requested',
      })
    })
  })

  it('a superseded, released or ended one does not roll over', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    const stale = await world.start(id)
    clock.advance(TTL)
    const lease = await world.start(id)
    await refused(registry.startEpoch(stale, { epoch: 1, state: STATE }), 'process_lease_lost')
    await registry.completeWithLease(lease, COMPLETED)
    await refused(registry.startEpoch(lease, { epoch: 1, state: STATE }), 'process_lease_lost')
    expect(await registry.journal(id)).toEqual([])
  })

  it('an owner-bound process does not roll over', async world => {
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id)
    await unchanged(world, id, () =>
      refused(world.registry.startEpoch(lease, { epoch: 1, state: STATE }), 'process_rollover_refused'),
    )
  })

  it('a state above the limit is refused', async ({ registry, register, start }) => {
    const lease = await start(await register())
    const state = 'x'.repeat(MAX_PAYLOAD_BYTES)
    await refused(registry.startEpoch(lease, { epoch: 1, state }), 'payload_too_large')
  })

  it('transient failures of the epoch before do not space out the next attempt', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register()
    for (let failure = 0; failure < 3; failure++) {
      await registry.endAttempt(await world.start(id), 'transient_error')
      clock.advance(10_000)
    }
    const lease = await world.start(id)
    await started(registry, lease)
    await registry.endAttempt(lease, 'transient_error')
    expect(await registry.msUntilDue()).toBe(1_000)
  })
}
