import { expect } from 'vitest'
import type { CompletionAuthority } from '../../model/completion.ts'
import type { Outcome } from '../../model/outcome.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import { ANA, BEN, COMPLETED, EXTERNAL, OUTCOMES, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const EXTERNAL_OWNER: CompletionAuthority = { authority: 'external_owner', grantedTo: 'session:s' }
const WORKFLOW_KEY: CompletionAuthority = { authority: 'workflow_key', workflowKey: 'p' }
const RECONCILED: CompletionAuthority = { authority: 'reconciled_abandon' }

const VERDICTS: readonly {
  disposition: 'rerunnable' | 'owner_bound' | 'externally_owned'
  authority: CompletionAuthority
  outcome: Outcome
  isAccepted: boolean
  scenario: number
}[] = [
  {
    disposition: 'externally_owned',
    authority: EXTERNAL_OWNER,
    outcome: COMPLETED,
    isAccepted: true,
    scenario: 84,
  },
  {
    disposition: 'externally_owned',
    authority: WORKFLOW_KEY,
    outcome: COMPLETED,
    isAccepted: false,
    scenario: 85,
  },
  {
    disposition: 'externally_owned',
    authority: RECONCILED,
    outcome: COMPLETED,
    isAccepted: false,
    scenario: 86,
  },
  {
    disposition: 'externally_owned',
    authority: RECONCILED,
    outcome: OUTCOMES.abandoned,
    isAccepted: true,
    scenario: 86,
  },
  ...(['rerunnable', 'owner_bound'] as const).flatMap(disposition => [
    { disposition, authority: WORKFLOW_KEY, outcome: COMPLETED, isAccepted: true, scenario: 87 },
    { disposition, authority: EXTERNAL_OWNER, outcome: COMPLETED, isAccepted: false, scenario: 87 },
    { disposition, authority: RECONCILED, outcome: OUTCOMES.abandoned, isAccepted: false, scenario: 87 },
  ]),
]

export function completionCases(it: Case): void {
  for (const outcome of Object.values(OUTCOMES)) {
    it(`${outcome.status} under the lease is stored with its event and found again (§6 #74, #75, #76)`, async world => {
      const { registry, clock } = world
      const id = await world.register()
      const lease = await world.run(id)
      clock.advance(3)
      const record = await registry.completeWithLease(lease, outcome)
      expect(record).toMatchObject({ status: outcome.status, outcome, updatedAtMs: clock.now() })
      expect(await world.record(id)).toMatchObject({ status: outcome.status, outcome })
      expect((await registry.list({ status: outcome.status })).records).toHaveLength(1)
      const log = await registry.eventsAfter(id, 0)
      const eventType = `process.${outcome.status}`
      expect(log).toMatchObject([
        { eventType, payload: { await_output: outcome }, occurredAtMs: clock.now() },
      ])
    })
  }

  it('the end and the release of the lease are one (§6 #78)', async ({ registry, register, run }) => {
    const id = await register()
    await registry.completeWithLease(await run(id), COMPLETED)
    expect(await registry.getLease(id)).toBeUndefined()
    const claimed = await registry.claim(id, BEN, TTL)
    expect(claimed).toMatchObject({ type: 'acquired', lease: { fencingToken: 2 } })
  })

  it('the same completion again returns the record and adds no event (§6 #79)', async world => {
    const id = await world.register()
    const lease = await world.run(id)
    const record = await world.registry.completeWithLease(lease, COMPLETED)
    world.clock.advance(TTL)
    await unchanged(world, id, async () => {
      expect(await world.registry.completeWithLease(lease, COMPLETED)).toMatchObject({
        outcome: record.outcome,
        updatedAtMs: record.updatedAtMs,
      })
    })
    expect(await world.eventTypes(id)).toEqual(['process.completed'])
  })

  it('a superseded lease completes nothing (§6 #80)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const stale = await world.start(id, { worker: BEN })
    clock.advance(TTL)
    const current = await world.start(id)
    await unchanged(world, id, () =>
      refused(registry.completeWithLease(stale, COMPLETED), 'process_lease_lost'),
    )
    expect(await registry.getLease(id)).toEqual(current)
  })

  it('a lease that lapsed completes nothing until it is taken again (§6 #82)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lapsed = await world.start(id)
    clock.advance(TTL)
    await unchanged(world, id, () =>
      refused(registry.completeWithLease(lapsed, COMPLETED), 'process_lease_lost'),
    )
    const again = await registry.reacquire(lapsed, TTL)
    expect(await registry.completeWithLease(again, COMPLETED)).toMatchObject({ status: 'completed' })
  })

  it('the first outcome stays, whatever a revenant brings (§6 #77)', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.completeWithLease(lease, OUTCOMES.abandoned)
    await unchanged(world, id, async () => {
      await refused(registry.completeWithLease(lease, COMPLETED), 'process_lease_lost')
      await refused(registry.complete(id, COMPLETED, WORKFLOW_KEY), 'process_already_terminal')
    })
    expect(await world.record(id)).toMatchObject({ outcome: OUTCOMES.abandoned })
  })

  for (const outcome of [{ ...COMPLETED, value: 'another' }, OUTCOMES.failed]) {
    it(`a row that ended is not ended again as ${JSON.stringify(outcome)}, under whatever lease`, async world => {
      const { registry } = world
      const id = await world.register()
      await registry.completeWithLease(await world.run(id), COMPLETED)
      const claimed = await registry.claim(id, ANA, TTL)
      if (claimed.type !== 'acquired') expect.fail(claimed.type)
      await unchanged(world, id, () =>
        refused(registry.completeWithLease(claimed.lease, outcome), 'process_already_terminal'),
      )
    })
  }

  for (const { disposition, authority, outcome, isAccepted, scenario } of VERDICTS) {
    const verdict = isAccepted ? 'accepted' : 'refused'
    it(`${outcome.status} by ${authority.authority} on ${disposition} is ${verdict} (§6 #${scenario})`, async world => {
      const id = await world.register(disposition === 'externally_owned' ? EXTERNAL : { disposition })
      if (isAccepted) {
        expect(await world.registry.complete(id, outcome, authority)).toMatchObject({ outcome })
        expect(await world.registry.eventsAfter(id, 0)).toMatchObject([
          { payload: { await_output: outcome, completion_authority: authority } },
        ])
      } else {
        await unchanged(world, id, () =>
          refused(world.registry.complete(id, outcome, authority), 'process_authority_rejected'),
        )
      }
    })
  }

  it('no authority writes while a lease is live', async world => {
    const { registry, clock } = world
    const id = await world.register()
    await world.start(id)
    await unchanged(world, id, () =>
      refused(registry.complete(id, COMPLETED, WORKFLOW_KEY), 'process_lease_busy'),
    )
    clock.advance(TTL)
    expect(await registry.complete(id, COMPLETED, WORKFLOW_KEY)).toMatchObject({ status: 'completed' })
  })

  it('a holder that slept through its own end cannot take the row again', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    clock.advance(TTL)
    await registry.complete(id, OUTCOMES.cancelled, WORKFLOW_KEY)
    await refused(registry.reacquire(lease, TTL), 'process_lease_lost')
    await refused(registry.completeWithLease(lease, COMPLETED), 'process_lease_lost')
  })

  it('the same completion by the same authority again changes nothing, by another it is refused', async world => {
    const { registry } = world
    const id = await world.register(EXTERNAL)
    await registry.complete(id, COMPLETED, EXTERNAL_OWNER)
    await unchanged(world, id, async () => {
      expect(await registry.complete(id, COMPLETED, EXTERNAL_OWNER)).toMatchObject({ outcome: COMPLETED })
      const other: CompletionAuthority = { authority: 'external_owner', grantedTo: 'session:t' }
      await refused(registry.complete(id, COMPLETED, other), 'process_already_terminal')
      await refused(registry.complete(id, OUTCOMES.failed, EXTERNAL_OWNER), 'process_already_terminal')
    })
  })

  it('an outcome above the limit is refused, and the lease stays', async ({
    registry,
    register,
    run,
    record,
  }) => {
    const id = await register()
    const lease = await run(id)
    const outcome: Outcome = { status: 'completed', value: 'x'.repeat(MAX_PAYLOAD_BYTES) }
    await refused(registry.completeWithLease(lease, outcome), 'payload_too_large')
    expect(await record(id)).toMatchObject({ status: 'running' })
    expect(await registry.getLease(id)).toEqual(lease)
  })
}
