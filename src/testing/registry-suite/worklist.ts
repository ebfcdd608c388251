import { expect } from 'vitest'
import { ANA, COMPLETED, TTL } from './fixtures.ts'
import { type Case, unchanged } from './harness.ts'

const REF = { backend: 'temporal', id: 'p', metadata: { namespace: 'default' } }

/** A row as it was when it was registered. */
const NEW = { attempts: 0, lastSequence: 0 }

export function worklistCases(it: Case): void {
  it('a row is due from its due time on, not a millisecond earlier', async ({ clock, register, due }) => {
    const id = await register()
    clock.advance(1_999)
    expect(await due()).toEqual([])
    clock.advance(1)
    expect(await due()).toEqual([id])
  })

  it('the most overdue row comes first, and no more than asked for', async ({
    registry,
    clock,
    register,
  }) => {
    for (const id of ['c', 'a', 'b']) {
      await register({ id })
      clock.advance(10)
    }
    clock.advance(2_000)
    const ids = async (limit: number) => (await registry.dueProcesses(limit)).map(({ record }) => record.id)
    expect(await ids(10)).toEqual(['c', 'a', 'b'])
    expect(await ids(2)).toEqual(['c', 'a'])
  })

  it('reading the worklist takes nothing off it', async ({ clock, register, due }) => {
    const id = await register()
    clock.advance(2_000)
    expect([await due(), await due()]).toEqual([[id], [id]])
  })

  it('the next due time is the earliest of all, and overdue is no time at all', async world => {
    const { registry, clock, register } = world
    expect(await registry.msUntilDue()).toBeUndefined()
    await register({ id: 'a' })
    clock.advance(500)
    await register({ id: 'b' })
    expect(await registry.msUntilDue()).toBe(1_500)
    clock.advance(60_000)
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('a row under a live lease is not on it; one whose holder stopped is, two seconds later', async world => {
    const id = await world.register()
    await world.run(id)
    world.clock.advance(TTL + 1_999)
    expect(await world.due()).toEqual([])
    world.clock.advance(1)
    expect(await world.due()).toEqual([id])
  })

  it('an ended row is not on it', async ({ registry, clock, register, run, due }) => {
    const id = await register()
    await registry.completeWithLease(await run(id), COMPLETED)
    clock.advance(1e9)
    expect(await due()).toEqual([])
  })

  it('a worklist row is the row, with what the registry counts beside it', async world => {
    const { registry, clock, register, record } = world
    const id = await register()
    await registry.recordSubmitted(id, { ref: REF, ...NEW })
    clock.advance(30_000)
    const [row] = await registry.dueProcesses(1)
    expect(row).toMatchObject({ dueAtMs: clock.now(), submissions: 1, failures: 0, epoch: 0 })
    expect(row?.record).toEqual(await record(id))
  })

  it('the first submission writes the external ref, later ones leave it', async ({
    registry,
    register,
    record,
  }) => {
    const id = await register()
    await registry.recordSubmitted(id, { ref: REF, ...NEW })
    await registry.recordSubmitted(id, { ref: { ...REF, id: 'other' }, ...NEW })
    expect(await record(id)).toMatchObject({ externalRef: REF, lastSequence: 1 })
  })

  it('a submission that an attempt overtook still writes its ref, and nothing else', async world => {
    const { registry, register, run, record } = world
    const id = await register()
    const lease = await run(id)
    await registry.recordSubmitted(id, { ref: REF, ...NEW })
    expect(await record(id)).toMatchObject({ externalRef: REF })
    expect(await registry.getLease(id)).toEqual(lease)
    await unchanged(world, id, () => registry.recordSubmitted(id, { ref: REF, ...NEW }))
  })

  it('a cancel that comes while the row is handed over stays due', async ({ registry, register, record }) => {
    const id = await register()
    await registry.recordSubmitted(id, { ref: REF, ...NEW })
    const seen = await record(id)
    await registry.requestCancel(id)
    await registry.recordSubmitted(id, { ref: REF, ...seen })
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('an attempt resets the spacing of submissions', async ({ registry, register, run, record }) => {
    const id = await register()
    for (let count = 0; count < 4; count++) {
      await registry.recordSubmitted(id, { ref: REF, ...(await record(id)) })
    }
    expect(await registry.msUntilDue()).toBe(240_000)
    await registry.endAttempt(await run(id), 'shutdown')
    await registry.recordSubmitted(id, { ref: REF, ...(await record(id)) })
    expect(await registry.msUntilDue()).toBe(30_000)
  })

  it('a row that could not be handed over comes back later, and later each time', async world => {
    const { registry, register, record } = world
    const id = await register()
    await registry.postpone(id, NEW)
    expect(await registry.msUntilDue()).toBe(30_000)
    await registry.postpone(id, NEW)
    expect(await registry.msUntilDue()).toBe(60_000)
    // Tries to hand it over count together, whatever came of each.
    await registry.recordSubmitted(id, { ref: REF, ...NEW })
    expect(await registry.msUntilDue()).toBe(120_000)
    expect(await record(id)).toMatchObject({ attempts: 0, status: 'running' })
  })

  it('a row whose attempt began meanwhile, or that has ended, is not postponed', async world => {
    const { registry, register, run, record } = world
    const id = await register()
    const lease = await run(id)
    await unchanged(world, id, () => registry.postpone(id, NEW))
    expect(await registry.msUntilDue()).toBe(TTL + 2_000)
    await registry.completeWithLease(lease, COMPLETED)
    const ended = await record(id)
    await unchanged(world, id, () => registry.postpone(id, ended))
    expect(await registry.msUntilDue()).toBeUndefined()
  })

  it('a row that was handed over and has not begun is told apart, the first due first', async world => {
    const { registry, clock, register, run, record } = world
    const notBegun = async (limit = 10) => (await registry.notBegun(limit)).map(row => row.record.id)
    const submit = async (id: string) => registry.recordSubmitted(id, { ref: REF, ...(await record(id)) })
    for (const id of ['c', 'a', 'b', 'ended']) {
      await register({ id })
      expect(await notBegun()).not.toContain(id)
      await submit(id)
      clock.advance(10)
    }
    await registry.completeWithLease(await run('ended'), COMPLETED)
    expect(await notBegun()).toEqual(['c', 'a', 'b'])
    expect(await notBegun(2)).toEqual(['c', 'a'])
    const lease = await run('a')
    expect(await notBegun()).toEqual(['c', 'b'])
    await registry.endAttempt(lease, 'shutdown')
    await submit('a')
    expect(await notBegun()).toEqual(['c', 'b', 'a'])
  })

  it('one of many at a time has the duty to sweep', async ({ registry, clock, ...world }) => {
    await world.register({ id: 'sweep' })
    const ben = { ...ANA, ownerId: 'ben', incarnationId: 'ben-life' }
    const first = await registry.claimDuty('sweep', ANA, { ttlMs: 5_000 })
    expect(first).toMatchObject({ type: 'acquired', lease: { fencingToken: 1 } })
    expect(await registry.claimDuty('sweep', ben, { ttlMs: 5_000 })).toMatchObject({ type: 'busy' })
    expect(await registry.claimDuty('sweep', ANA, { ttlMs: 5_000 })).toMatchObject({
      lease: { fencingToken: 1 },
    })
    expect(await registry.claimDuty('prune', ben, { ttlMs: 5_000 })).toMatchObject({ type: 'acquired' })
    // A duty is no process, even where one bears its name.
    expect(await registry.getLease('sweep')).toBeUndefined()
    clock.advance(5_000)
    expect(await registry.claimDuty('sweep', ben, { ttlMs: 5_000 })).toMatchObject({
      lease: { fencingToken: 2 },
    })
  })

  it('a duty passes on at once when its holder is proven dead', async ({ registry }) => {
    const ben = { ...ANA, ownerId: 'ben', incarnationId: 'ben-life' }
    await registry.claimDuty('sweep', ben, { ttlMs: 5_000 })
    const claim = (fence: number) =>
      registry.claimDuty('sweep', ANA, { ttlMs: 5_000, evidence: { incarnationId: 'ben-life', fence } })
    expect(await claim(2)).toMatchObject({ type: 'busy' })
    expect(await claim(1)).toMatchObject({ type: 'acquired', lease: { fencingToken: 2, owner: ANA } })
  })
}
