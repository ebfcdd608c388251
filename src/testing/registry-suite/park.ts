import { expect } from 'vitest'
import { TTL, timer } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

export function parkCases(it: Case): void {
  it('stores the wait, releases the lease and says until when', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    const lease = await world.start(id)
    const nap = timer('nap', clock.now(), clock.now() + 5_000)
    expect(await registry.park(lease, [nap])).toEqual({ type: 'parked', untilMs: clock.now() + 5_000 })
    expect(await world.record(id)).toMatchObject({ status: 'running', waits: [nap] })
    expect(await registry.getLease(id)).toBeUndefined()
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({
      eventType: 'process.waiting',
      payload: nap,
    })
  })

  it('a parked row answers parked until its deadline, and claims nothing', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const untilMs = clock.now() + 5_000
    await registry.park(await world.start(id), [timer('nap', clock.now(), untilMs)])
    clock.advance(4_999)
    await unchanged(world, id, async () => {
      expect(await world.begin(id)).toEqual({ type: 'parked', untilMs })
    })
    expect(await registry.getLease(id)).toBeUndefined()
    clock.advance(1)
    expect(await world.run(id)).toMatchObject({ fencingToken: 2 })
  })

  it('the attempt after the wait takes it off the row and says so', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    const nap = timer('nap', clock.now(), clock.now() + 5_000)
    await registry.park(await world.start(id), [nap])
    clock.advance(5_000)
    await world.run(id)
    expect(await world.record(id)).toMatchObject({ waits: [] })
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({
      eventType: 'process.resumed',
      payload: { key: nap.key },
    })
  })

  it('an open-ended wait has no deadline', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    expect(await registry.park(await world.start(id), [timer('open', clock.now())])).toEqual({
      type: 'parked',
    })
    clock.advance(1e9)
    expect(await world.begin(id)).toEqual({ type: 'parked' })
  })

  it('of several waits the earliest decides', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    const [now, waits] = [clock.now(), [9_000, 3_000, undefined]]
    const parked = await registry.park(
      await world.start(id),
      waits.map((ms, index) => timer(`nap#${index}`, now, ms && now + ms)),
    )
    expect(parked).toEqual({ type: 'parked', untilMs: now + 3_000 })
    expect((await world.record(id)).waits).toHaveLength(3)
  })

  it('a longer wait beside a shorter one is parked on again, and resumes in its own time', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const short = timer('short', clock.now(), clock.now() + 1_000)
    const long = timer('long', clock.now(), clock.now() + 60_000)
    await registry.park(await world.start(id), [short, long])
    clock.advance(1_000)
    await registry.park(await world.run(id), [long])
    clock.advance(59_000)
    await world.run(id)
    const log = await registry.eventsAfter(id, 0)
    const waits = log.filter(({ eventType }) => /waiting|resumed/.test(eventType))
    expect(waits.map(({ eventType, payload }) => [eventType, payload])).toEqual([
      ['process.waiting', short],
      ['process.waiting', long],
      ['process.resumed', { key: short.key }],
      ['process.resumed', { key: long.key }],
    ])
  })

  it('a wait that is due already writes nothing', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    await unchanged(world, id, async () => {
      expect(await registry.park(lease, [timer('nap', clock.now() - 5, clock.now())])).toEqual({
        type: 'due',
      })
    })
    expect(await registry.getLease(id)).toEqual(lease)
  })

  it('a started owner-bound process cannot park, for nobody could run it again', async world => {
    const { registry, clock } = world
    const id = await world.register({ disposition: 'owner_bound' })
    const lease = await world.start(id)
    await unchanged(world, id, () =>
      refused(registry.park(lease, [timer('nap', clock.now(), clock.now() + 1e9)]), 'process_park_refused'),
    )
  })

  it('a cancelled attempt cannot park', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.requestCancel(id)
    await unchanged(world, id, async () => {
      expect(await registry.park(lease, [timer('open', clock.now())])).toEqual({ type: 'due' })
    })
    expect(await registry.getLease(id)).toEqual(lease)
  })

  it('a cancel reaches a parked process at once', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    await registry.park(await world.start(id), [timer('nap', clock.now(), clock.now() + 1e9)])
    expect((await registry.requestCancel(id, 'enough')).isDue).toBe(true)
    expect(await world.begin(id)).toMatchObject({ type: 'settle', outcome: { status: 'cancelled' } })
  })

  it('a terminal write takes the waits off the row (§6 #64)', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    await registry.park(await world.start(id), [timer('open', clock.now())])
    const authority = { authority: 'workflow_key', workflowKey: id } as const
    await registry.complete(id, { status: 'cancelled', message: 'by hand' }, authority)
    expect(await world.record(id)).toMatchObject({ status: 'cancelled', waits: [] })
    expect((await registry.list({ waiting: true, status: 'any' })).records).toEqual([])
  })

  it('a lost lease parks nothing', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lost = await world.start(id)
    clock.advance(TTL)
    const successor = await world.start(id)
    await unchanged(world, id, () =>
      refused(registry.park(lost, [timer('open', clock.now())]), 'process_lease_lost'),
    )
    expect(await registry.getLease(id)).toEqual(successor)
  })
}
