import { expect } from 'vitest'
import { ANA, BEN, COMPLETED, HOST, registration, TTL, timer } from './fixtures.ts'
import { type Case, refused } from './harness.ts'

const REF = { backend: 'temporal', id: 'p' }

export function reopenCases(it: Case): void {
  it('the tier is what the store says, and only a durable one can be opened again (§6 #12)', async world => {
    expect(world.registry.durabilityTier).toBe(world.reopen === undefined ? 'inline' : 'durable')
  })

  it('a registry has an id of its own, the same each time it is opened', async ({ registry, reopen }) => {
    expect(registry.registryId).toMatch(/^.{16,}$/)
    const again = await reopen?.()
    expect(again?.registryId ?? registry.registryId).toBe(registry.registryId)
  })

  it('what was written is there afterwards, and goes on where it stood (§6 #19)', async world => {
    const { clock, register, start } = world
    let { registry } = world
    await registry.announceWorker(BEN)
    await registry.putEnv('process-env:sha256:00', Uint8Array.from([1, 2]))
    for (const id of ['done', 'held', 'parked']) await register({ id })
    await registry.completeWithLease(await start('done'), COMPLETED)
    const lease = await start('held', { worker: BEN, backendToken: 'token-1' })
    await registry.setExternalRef('held', REF)
    await registry.grant({ sessionId: 's', agentFrameId: 'f' }, 'held', { label: 'mine' })
    await registry.append('held', { eventType: 'note', payload: { a: [1] }, replayKey: 'k' })
    await registry.park(await start('parked'), [timer('nap', clock.now(), clock.now() + 5_000)])
    const read = async () => ({
      rows: (await registry.list({ status: 'any' })).records,
      events: await Promise.all(['done', 'held', 'parked'].map(id => registry.eventsAfter(id, 0))),
      lease: await registry.getLease('held'),
      grants: await registry.listGrants({ sessionId: 's', agentFrameId: 'f' }),
      workers: await registry.workersOn(HOST),
      env: await registry.getEnv('process-env:sha256:00'),
      msUntilDue: await registry.msUntilDue(),
      latest: await registry.latestChange(),
    })
    const before = await read()

    registry = (await world.reopen?.()) ?? registry

    expect(await read()).toEqual(before)
    expect((await registry.register(registration({ id: 'done' }))).type).toBe('existing')
    expect(await registry.setExternalRef('held', REF)).toEqual(await registry.get('held'))
    await refused(registry.setExternalRef('held', { ...REF, id: 'q' }), 'process_external_ref_conflict')
    const again = { eventType: 'note', payload: { a: [1] }, replayKey: 'k' }
    expect((await registry.append('held', again)).type).toBe('replayed')
    const renewed = await registry.renew(lease, TTL)
    expect(await registry.completeWithLease(renewed, COMPLETED)).toMatchObject({ status: 'completed' })
    clock.advance(5_000)
    const answer = await registry.beginAttempt('parked', { worker: ANA, attempt: 'after', ttlMs: TTL })
    expect(answer).toMatchObject({ type: 'run', lease: { fencingToken: 2 } })
  })

  it('a closed registry says so, and may be closed twice', async ({ registry }) => {
    await registry.close()
    await registry.close()
    await refused(registry.get('p'), 'registry_closed')
    await refused(registry.register(registration()), 'registry_closed')
  })
}
