import { expect } from 'vitest'
import type { WakeClaim } from '../../model/outbox.ts'
import { ANA, BEN, HOST } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'
import { announce, announcer } from './outbox.ts'

const ENQUEUED = { type: 'enqueued' } as const

/** BEN, announced, has the wake of p's first event in his hands. */
async function heldByBen(world: World): Promise<WakeClaim> {
  await world.registry.announceWorker(BEN)
  await announce(world, await announcer(world, 'p'), 'a')
  const { claims } = await world.registry.claimWakes({ worker: BEN })
  expect(claims).toHaveLength(1)
  return claims[0] ?? expect.fail('no wake is due')
}

export function deadDelivererCases(it: Case): void {
  it('what a worker that is proven dead was handing over is handed over by the next at once (§6 #58)', async world => {
    const { registry } = world
    const { delivery } = await heldByBen(world)
    await registry.announceWorker(ANA)
    expect(await registry.claimWakes({ worker: ANA })).toEqual({ claims: [], expired: [] })
    await registry.proveWorkerDead(BEN)
    expect(await registry.msUntilWakeDue()).toBe(0)
    const { claims } = await registry.claimWakes({ worker: ANA })
    expect(claims).toEqual([{ delivery, claimToken: expect.any(String), attempt: 2 }])
    for (const claim of claims) await registry.settleWake(claim, ENQUEUED)
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'enqueued', attempts: 2 }])
  })

  it('whoever was wrongly said to be dead settles nothing, before and after another takes over', async world => {
    const { registry } = world
    const zombie = await heldByBen(world)
    await registry.stateHostDead(HOST, 'ana')
    for (const settlement of [
      ENQUEUED,
      { type: 'retry' },
      { type: 'discard', reason: 'target_gone' },
    ] as const)
      await refused(registry.settleWake(zombie, settlement), 'wake_claim_lost')
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'pending', attempts: 1 }])
    const { claims } = await registry.claimWakes()
    await refused(registry.settleWake(zombie, ENQUEUED), 'wake_claim_lost')
    for (const claim of claims) await registry.settleWake(claim, ENQUEUED)
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'enqueued' }])
  })

  it('a death frees what the dead one holds now, and nothing else', async world => {
    const { registry } = world
    const first = await heldByBen(world)
    await registry.settleWake(first, { type: 'discard', reason: 'target_gone' })
    await announce(world, await announcer(world, 'q'), 'b')
    const { claims } = await registry.claimWakes({ worker: ANA })
    expect(claims).toHaveLength(1)
    await registry.proveWorkerDead(BEN)
    await registry.proveWorkerDead(BEN)
    expect(await registry.wakesOf('p')).toMatchObject([{ status: 'discarded' }])
    expect(await registry.wakesOf('q')).toMatchObject([{ status: 'enqueuing', attempts: 1 }])
    for (const claim of claims) await registry.settleWake(claim, ENQUEUED)
  })

  it('what is freed, or not taken, waits for an earlier one that came before it meanwhile', async world => {
    const { registry } = world
    await registry.announceWorker(BEN)
    await announcer(world, 'p')
    const old = { eventType: 'news', payload: 'old', replayKey: 'k' }
    await registry.append('p', old)
    for (const claim of (await registry.claimWakes()).claims) await registry.settleWake(claim, ENQUEUED)
    for (const [session, giveBack] of [
      ['freed', async () => void (await registry.proveWorkerDead(BEN))],
      ['not taken', async (claim: WakeClaim) => registry.settleWake(claim, { type: 'retry' })],
    ] as const) {
      await announce(world, 'p', 'new', session)
      const [held] = (await registry.claimWakes({ worker: BEN })).claims
      await registry.append('p', { ...old, wakeTargetScope: { sessionId: session } })
      await giveBack(held ?? expect.fail('no wake is due'))
      world.clock.advance(1_000)
      const heard: unknown[] = []
      for (let round = 0; round < 2; round++) {
        for (const claim of (await registry.claimWakes()).claims) {
          heard.push(claim.delivery.input)
          await registry.settleWake(claim, ENQUEUED)
        }
      }
      expect(heard).toEqual(['old', 'new'])
    }
  })
}
