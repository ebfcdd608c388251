import { expect } from 'vitest'
import { ANA, BEN, COMPLETED } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const OWNER_BOUND = { disposition: 'owner_bound' } as const

export function firstStartedCases(it: Case): void {
  it('is recorded with its owner and time, and an event says so', async ({ registry, register }) => {
    const id = await register()
    const { firstStarted } = await registry.recordFirstStarted(id, { owner: ANA, startedAtMs: 17 })
    expect(firstStarted).toEqual({ owner: ANA, attempt: ANA.incarnationId, fence: 0, startedAtMs: 17 })
    expect(await registry.get(id)).toMatchObject({ status: 'running', firstStarted })
    expect(await registry.eventsAfter(id, 0)).toMatchObject([
      { eventType: 'process.first_started', payload: firstStarted },
    ])
  })

  it('stays as the first one wrote it (§6 #21)', async world => {
    const id = await world.register()
    await world.registry.recordFirstStarted(id, { owner: ANA, startedAtMs: 17 })
    world.clock.advance(1)
    for (const start of [
      { owner: BEN, startedAtMs: 18 },
      { owner: ANA, startedAtMs: 18 },
      { owner: ANA, startedAtMs: 17 },
    ]) {
      await unchanged(world, id, async () => {
        const record = await world.registry.recordFirstStarted(id, start)
        expect(record).toEqual(await world.registry.get(id))
      })
    }
  })

  it('stays as the attempt wrote it that entered the body', async world => {
    const id = await world.register()
    await world.start(id)
    await unchanged(world, id, () =>
      world.registry.recordFirstStarted(id, { owner: BEN, startedAtMs: world.clock.now() }),
    )
  })

  it('of two recorded at once, one stays', async ({ registry, register, eventTypes }) => {
    const id = await register()
    const [one, other] = await Promise.all(
      [ANA, BEN].map(owner => registry.recordFirstStarted(id, { owner, startedAtMs: 1 })),
    )
    expect(one?.firstStarted).toEqual(other?.firstStarted)
    expect(await eventTypes(id)).toEqual(['process.first_started'])
  })

  it('keeps every attempt from the body of an owner-bound process', async ({ registry, ...world }) => {
    const id = await world.register(OWNER_BOUND)
    await registry.recordFirstStarted(id, { owner: BEN, startedAtMs: 1 })
    expect(await world.begin(id)).toEqual({ type: 'silent' })
  })

  it('refuses the body to an attempt that began before it', async ({ registry, run, register }) => {
    const id = await register(OWNER_BOUND)
    const lease = await run(id)
    const { firstStarted } = await registry.recordFirstStarted(id, { owner: BEN, startedAtMs: 1 })
    expect(firstStarted?.fence).toBe(lease.fencingToken)
    expect(await registry.enterBody(lease, ANA)).toEqual({ type: 'refused' })
  })

  it('names whom to ask about, and its proven death settles the process', async world => {
    const id = await world.register(OWNER_BOUND)
    await world.registry.recordFirstStarted(id, { owner: BEN, startedAtMs: 1 })
    const holder = await world.registry.lastHolder(id)
    expect(holder?.owner).toEqual(BEN)
    const evidence = holder?.evidence ?? expect.fail('nobody to ask about')
    expect(await world.begin(id, { evidence })).toMatchObject({
      type: 'settle',
      outcome: { status: 'abandoned', evidence: { writer: 'sweep', owner: BEN } },
    })
  })

  it('cannot be recorded on a process that has ended', async world => {
    const id = await world.register()
    await world.registry.completeWithLease(await world.run(id), COMPLETED)
    await unchanged(world, id, () =>
      refused(
        world.registry.recordFirstStarted(id, { owner: ANA, startedAtMs: 1 }),
        'process_already_terminal',
      ),
    )
  })
}
