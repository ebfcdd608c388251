import { expect } from 'vitest'
import { COMPLETED, EXTERNAL, OUTCOMES, TTL, timer } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

export function waitCases(it: Case): void {
  it('one that is set stands on the row, and an event says so (§6 #63)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    clock.advance(3)
    const nap = timer('nap', clock.now(), clock.now() + 50)
    expect(await registry.setWait(id, nap)).toMatchObject({ waits: [nap], updatedAtMs: clock.now() })
    expect(await world.record(id)).toMatchObject({ status: 'running', waits: [nap] })
    expect(await registry.eventsAfter(id, 0)).toMatchObject([{ eventType: 'process.waiting', payload: nap }])
  })

  it('the lists tell the rows that wait (§6 #63)', async ({ registry, clock, register }) => {
    for (const id of ['idle', 'waiting']) await register({ id })
    await registry.setWait('waiting', timer('nap', clock.now()))
    const listed = async (filter: object) => (await registry.list(filter)).records.map(({ id }) => id)
    expect(await listed({ waiting: true })).toEqual(['waiting'])
    expect(await listed({ waiting: false })).toEqual(['idle'])
    expect(await listed({ status: 'running' })).toEqual(['idle', 'waiting'])
  })

  it('the very same one again changes nothing', async world => {
    const id = await world.register()
    const nap = timer('nap', world.clock.now(), world.clock.now() + 50)
    await world.registry.setWait(id, nap)
    world.clock.advance(1)
    await unchanged(world, id, async () => {
      expect(await world.registry.setWait(id, nap)).toEqual(await world.registry.get(id))
    })
  })

  it('another one of the same key takes its place, and others stay beside it', async world => {
    const id = await world.register()
    const now = world.clock.now()
    const [first, second, other] = [timer('nap', now, now + 50), timer('nap', now), timer('other', now)]
    await world.registry.setWait(id, first)
    await world.registry.setWait(id, other)
    expect((await world.registry.setWait(id, second)).waits).toEqual([second, other])
  })

  it('cleared by its key, it is gone, and an event says so (§6 #64)', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const [nap, other] = [timer('nap', clock.now()), timer('other', clock.now())]
    for (const wait of [nap, other]) await registry.setWait(id, wait)
    const { record } = await registry.clearWait(id, nap.key)
    expect(record.waits).toEqual([other])
    expect(await world.record(id)).toMatchObject({ waits: [other] })
    expect((await registry.recentEvents(id, 1))[0]).toMatchObject({
      eventType: 'process.resumed',
      payload: { key: nap.key },
    })
  })

  it('cleared without a key, all are gone (§6 #64)', async ({ registry, clock, register, eventTypes }) => {
    const id = await register()
    for (const key of ['nap', 'other']) await registry.setWait(id, timer(key, clock.now()))
    expect((await registry.clearWait(id)).record.waits).toEqual([])
    expect(await eventTypes(id)).toEqual([
      'process.waiting',
      'process.waiting',
      'process.resumed',
      'process.resumed',
    ])
  })

  it('one that was cleared can be set again', async ({ registry, clock, register, eventTypes }) => {
    const id = await register()
    const nap = timer('nap', clock.now())
    for (const _ of [1, 2]) {
      expect((await registry.setWait(id, nap)).waits).toEqual([nap])
      expect((await registry.clearWait(id)).record.waits).toEqual([])
    }
    expect(await eventTypes(id)).toHaveLength(4)
  })

  for (const key of [undefined, 'process:p:timer:none']) {
    it(`clearing ${key === undefined ? 'all' : 'one'} where there is none changes nothing`, async world => {
      const id = await world.register()
      if (key !== undefined) await world.registry.setWait(id, timer('nap', world.clock.now()))
      world.clock.advance(1)
      await unchanged(world, id, async () => {
        expect((await world.registry.clearWait(id, key)).isDue).toBe(false)
      })
    })
  }

  for (const outcome of [COMPLETED, OUTCOMES.failed, OUTCOMES.cancelled]) {
    it(`a process that ends as ${outcome.status} waits no more (§6 #64)`, async world => {
      const { registry, clock } = world
      const id = await world.register()
      const lease = await world.start(id)
      await registry.setWait(id, timer('nap', clock.now()))
      expect((await registry.completeWithLease(lease, outcome)).waits).toEqual([])
      expect(await world.record(id)).toMatchObject({ status: outcome.status, waits: [] })
    })
  }

  it('none can be set on a process that has ended (§6 #65)', async world => {
    const id = await world.register()
    await world.registry.completeWithLease(await world.run(id), COMPLETED)
    await unchanged(world, id, async () => {
      await refused(world.registry.setWait(id, timer('nap', world.clock.now())), 'process_wait_on_terminal')
      expect((await world.registry.clearWait(id)).record.status).toBe('completed')
    })
  })

  it('a row that is told to wait is begun again once its wait is cleared', async world => {
    const { registry, clock } = world
    const id = await world.register()
    await registry.setWait(id, timer('open', clock.now()))
    expect(await world.begin(id)).toEqual({ type: 'parked' })
    expect(await registry.msUntilDue()).toBeUndefined()
    expect((await registry.clearWait(id)).isDue).toBe(true)
    expect(await world.due()).toEqual([id])
    await world.run(id)
  })

  it('an earlier deadline brings a parked row up earlier, a later one does not hold it back', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const now = clock.now()
    await registry.park(await world.start(id), [timer('nap', now, now + 9_000)])
    await registry.setWait(id, timer('late', now, now + 20_000))
    expect(await registry.msUntilDue()).toBe(9_000)
    await registry.setWait(id, timer('soon', now, now + 1_000))
    expect(await registry.msUntilDue()).toBe(1_000)
    await registry.setWait(id, timer('open', now))
    expect(await registry.msUntilDue()).toBe(1_000)
  })

  it('a wait does not put off a cancel that is due', async ({ registry, clock, ...world }) => {
    const id = await world.register()
    await registry.park(await world.start(id), [timer('nap', clock.now(), clock.now() + 9_000)])
    await registry.requestCancel(id)
    await registry.setWait(id, timer('late', clock.now(), clock.now() + 20_000))
    expect(await registry.msUntilDue()).toBe(0)
  })

  it('clearing it under a live lease leaves lease and due time alone', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.setWait(id, timer('nap', clock.now()))
    expect((await registry.clearWait(id)).isDue).toBe(false)
    expect(await registry.getLease(id)).toEqual(lease)
    expect(await registry.msUntilDue()).toBe(TTL + 2_000)
  })

  it("clearing it on somebody else's work makes nothing due here", async ({ registry, clock, register }) => {
    const id = await register(EXTERNAL)
    await registry.setWait(id, timer('nap', clock.now()))
    expect((await registry.clearWait(id)).isDue).toBe(false)
    expect(await registry.msUntilDue()).toBeUndefined()
  })
}
