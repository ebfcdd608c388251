import { expect } from 'vitest'
import { OUTBOX } from '../../model/outbox.ts'
import type { WaitCondition } from '../../model/wait.ts'
import { COMPLETED, timer } from './fixtures.ts'
import type { Case, World } from './harness.ts'
import { ended } from './prune.ts'

const FAR = Number.MAX_SAFE_INTEGER

const expectKept = async ({ registry }: World, id: string, reason: string): Promise<void> => {
  expect(await registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 0, kept: [{ id, reason }] })
  expect(await registry.get(id)).toBeDefined()
}

const expectPruned = async ({ registry }: World, id: string): Promise<void> => {
  expect(await registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 1, kept: [] })
  expect(await registry.get(id)).toBeUndefined()
}

/** A process whose news wake the session `s`; ended after one of them. */
async function announced(world: World): Promise<void> {
  const wake = { input: 'payload' } as const
  await ended(world, 'p', {
    ...{ wakeTarget: { sessionId: 's' } },
    eventTypes: [{ name: 'news', payloadSchema: true, semantics: { wake } }],
  })
  await world.registry.append('p', { eventType: 'news', payload: 'it is done' })
}

async function claimOne({ registry }: World) {
  const { claims } = await registry.claimWakes({ limit: 1 })
  return claims[0] ?? expect.fail('no wake is due')
}

export function keptCases(it: Case): void {
  it('while its run waits and does not know of the end', async world => {
    const { registry, clock, register } = world
    await register({ id: 'p' })
    await registry.park(await world.start('p'), [timer('nap', clock.now())])
    const authority = { authority: 'workflow_key', workflowKey: 'p' } as const
    await registry.complete('p', COMPLETED, authority)
    await expectKept(world, 'p', 'run_untold')
    expect(await world.begin('p')).toEqual({ type: 'terminal', status: 'completed' })
    await expectPruned(world, 'p')
  })

  it('while a session has still to hear of it', async world => {
    await announced(world)
    await expectKept(world, 'p', 'wake_on_its_way')
    const claim = await claimOne(world)
    await expectKept(world, 'p', 'wake_on_its_way')
    await world.registry.settleWake(claim, { type: 'retry' })
    await expectKept(world, 'p', 'wake_on_its_way')
    world.clock.advance(OUTBOX.retryAfterMs(1))
    await world.registry.settleWake(await claimOne(world), { type: 'enqueued' })
    await expectPruned(world, 'p')
  })

  it('no longer, once the wake was given up', async world => {
    await announced(world)
    const claim = await claimOne(world)
    await world.registry.append('p', { eventType: 'news', payload: 'and behind it' })
    await world.registry.settleWake(claim, { type: 'discard', reason: 'target_gone' })
    expect(await world.registry.blockedGroups()).toHaveLength(1)
    await expectPruned(world, 'p')
    expect(await world.registry.blockedGroups()).toEqual([])
  })

  it('a claim on a wake of a process that was pruned meanwhile is lost', async world => {
    await announced(world)
    const claim = await claimOne(world)
    await world.registry.settleWake(claim, { type: 'discard', reason: 'target_gone' })
    await expectPruned(world, 'p')
    const again = world.registry.settleWake(claim, { type: 'enqueued' })
    await expect(again).rejects.toMatchObject({ code: 'wake_claim_lost' })
    await expect(world.registry.redriveWake(claim.delivery.wakeId)).rejects.toMatchObject({
      code: 'wake_not_blocked',
    })
  })

  const WAITS: Readonly<Record<string, WaitCondition>> = {
    'its end': { type: 'process', processId: 'p' },
    'an event of it': { type: 'event', processId: 'p', eventType: 'note', after: 0 },
  }
  for (const [what, on] of Object.entries(WAITS)) {
    it(`while somebody who waited for ${what} has not gone on`, async world => {
      const { registry, clock, register } = world
      await register({ id: 'p' })
      await register({ id: 'waiter' })
      await registry.park(await world.start('waiter'), [{ key: 'w', sinceMs: clock.now(), on }])
      await registry.completeWithLease(await world.start('p'), COMPLETED)
      await expectKept(world, 'p', 'awaited')
      await registry.append('p', { eventType: 'note', payload: null })
      await expectKept(world, 'p', 'awaited')
      const lease = await world.run('waiter')
      await expectPruned(world, 'p')
      await registry.completeWithLease(lease, COMPLETED)
    })
  }

  it('not by one that waited for it and has ended itself', async world => {
    const { registry, clock, register } = world
    await register({ id: 'waiter' })
    await ended(world, 'p')
    const on = { type: 'event', processId: 'p', eventType: 'note', after: 9 } as const
    await registry.setWait('waiter', { key: 'w', sinceMs: clock.now(), on })
    await expectKept(world, 'p', 'awaited')
    const authority = { authority: 'workflow_key', workflowKey: 'waiter' } as const
    await registry.complete('waiter', COMPLETED, authority)
    expect(await registry.prune({ before: FAR })).toMatchObject({ prunedProcesses: 2, kept: [] })
  })

  it('a wait for a process that is gone is over at once', async world => {
    await ended(world, 'p')
    await expectPruned(world, 'p')
    await world.register({ id: 'waiter' })
    const lease = await world.start('waiter')
    for (const on of Object.values(WAITS)) {
      const answer = await world.registry.park(lease, [{ key: 'w', sinceMs: world.clock.now(), on }])
      expect(answer).toEqual({ type: 'due' })
    }
  })
}
