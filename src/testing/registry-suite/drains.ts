import { expect } from 'vitest'
import type { DrainReport } from '../../model/drain.ts'
import { ANA, BEN, COMPLETED, EXTERNAL, OUTCOMES, TTL } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const REPORT: DrainReport = {
  ended: [],
  released: [],
  abandoned: [],
  deferred: [],
}

export function drainCases(it: Case): void {
  it('a drain is asked for once, seen by the worker, and answered once', async ({ registry, clock }) => {
    await registry.announceWorker(ANA)
    expect(await registry.drainOf(ANA.incarnationId)).toBeUndefined()
    const request = { worker: ANA, requestedBy: 'ops', requestedAtMs: clock.now() }
    expect(await registry.requestDrain(ANA.incarnationId, 'ops')).toEqual(request)
    clock.advance(5)
    expect(await registry.requestDrain(ANA.incarnationId, 'somebody else')).toEqual(request)
    expect(await registry.drainOf(ANA.incarnationId)).toEqual(request)
    expect(await registry.drainOf(BEN.incarnationId)).toBeUndefined()

    const report = { ...REPORT, deferred: [{ id: await id({ registry }), reason: 'busy' as const }] }
    await registry.reportDrain(ANA.incarnationId, report)
    await registry.reportDrain(ANA.incarnationId, REPORT)
    // The worker is gone by then, and its report is still there to be read.
    await registry.removeWorker(ANA.incarnationId)
    expect(await registry.drainOf(ANA.incarnationId)).toEqual({ ...request, report })
    expect(await registry.requestDrain(ANA.incarnationId, 'ops')).toEqual({ ...request, report })
  })

  it('a worker that nobody asked reports nothing', async ({ registry }) => {
    await registry.announceWorker(ANA)
    await registry.reportDrain(ANA.incarnationId, REPORT)
    expect(await registry.drainOf(ANA.incarnationId)).toBeUndefined()
  })

  it('a worker that is not announced cannot be asked', async ({ registry }) => {
    await refused(registry.requestDrain(ANA.incarnationId, 'ops'), 'worker_unknown')
    expect(await registry.drainOf(ANA.incarnationId)).toBeUndefined()
  })

  it('a request is forgotten after a week, when the next one is made', async ({ registry, clock }) => {
    for (const worker of [ANA, BEN]) await registry.announceWorker(worker)
    await registry.requestDrain(ANA.incarnationId, 'ops')
    clock.advance(7 * 86_400_000)
    expect(await registry.drainOf(ANA.incarnationId)).toBeDefined()
    clock.advance(1)
    await registry.requestDrain(BEN.incarnationId, 'ops')
    expect(await registry.drainOf(ANA.incarnationId)).toBeUndefined()
  })

  it('of all rows a worker may end exactly what is owner-bound and began with it (§6 #189)', async world => {
    const { registry, clock } = world
    const bound = { disposition: 'owner_bound' } as const
    const rows = {
      mine: await lapsed(world, 'mine', bound, ANA),
      foreign: await lapsed(world, 'foreign', bound, BEN),
      unstarted: await world.register({ id: 'unstarted', ...bound }),
      rerunnable: await lapsed(world, 'rerunnable', {}, ANA),
      external: await world.register({ id: 'external', ...EXTERNAL }),
    }
    const answers: Record<string, string> = {}
    for (const row of Object.values(rows)) {
      const answer = await registry.beginDrain(row, { worker: ANA, attempt: `drain-${row}`, ttlMs: TTL })
      answers[row] = answer.type
      if (answer.type === 'settle') await registry.completeWithLease(answer.lease, answer.outcome)
    }
    expect(answers).toEqual({
      mine: 'settle',
      foreign: 'not_mine',
      unstarted: 'not_mine',
      rerunnable: 'not_mine',
      external: 'not_mine',
    })
    expect(await world.record('mine')).toMatchObject({
      status: 'abandoned',
      outcome: { evidence: { writer: 'owner_drain', owner: ANA, epochMs: clock.now() } },
    })
    for (const row of ['foreign', 'unstarted', 'rerunnable', 'external'])
      expect(await world.record(row)).toMatchObject({ status: 'running' })
  })

  it('a row that somebody still holds is deferred, and its lease is left alone (§6 #190)', async world => {
    const { registry } = world
    const row = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(row, { worker: ANA })
    const request = { worker: ANA, attempt: 'drain', ttlMs: TTL }
    expect(await registry.beginDrain(row, request)).toEqual({ type: 'deferred', reason: 'busy' })
    expect(await registry.getLease(row)).toEqual(lease)
  })

  it('a row that ended otherwise, or is not there, is deferred (§6 #191)', async world => {
    const { registry } = world
    const request = { worker: ANA, attempt: 'drain', ttlMs: TTL }
    const row = await world.register({ disposition: 'owner_bound' })
    await registry.completeWithLease(await world.start(row, { worker: ANA }), OUTCOMES.failed)
    const settled = { type: 'deferred', reason: 'settled_by_peer' }
    expect(await registry.beginDrain(row, request)).toEqual(settled)
    expect(await registry.beginDrain('nobody', request)).toEqual({ type: 'deferred', reason: 'absent' })
    expect(await world.record(row)).toMatchObject({ outcome: OUTCOMES.failed })
  })

  it('what a drain has taken, its late owner cannot end any more', async world => {
    const { registry } = world
    const row = await lapsed(world, 'mine', { disposition: 'owner_bound' }, ANA)
    const late = (await registry.getLease(row)) ?? expect.fail('nobody holds it')
    const answer = await registry.beginDrain(row, { worker: ANA, attempt: 'drain', ttlMs: TTL })
    expect(answer.type).toBe('settle')
    await refused(registry.reacquire(late, TTL), 'process_lease_lost')
    await refused(registry.completeWithLease(late, COMPLETED), 'process_lease_lost')
  })
}

const id = async ({ registry }: Pick<World, 'registry'>) =>
  (
    await registry.register({
      id: 'deferred',
      input: { type: 'external', metadata: null },
      disposition: 'externally_owned',
      provenance: { originator: { type: 'host' } },
    })
  ).record.id

/** Begun by the worker, whose lease has ended without outcome. */
async function lapsed(
  world: World,
  name: string,
  patch: Parameters<World['register']>[0],
  worker: typeof ANA,
): Promise<string> {
  const row = await world.register({ id: name, ...patch })
  await world.start(row, { worker })
  world.clock.advance(TTL)
  return row
}
