import { expect } from 'vitest'
import { ANA, BEN, COMPLETED, changedIds, EXTERNAL, OUTCOMES, TTL, timer } from './fixtures.ts'
import type { Case } from './harness.ts'
import { entryOf } from './texts-of-runs.ts'

const WON = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.filter(({ status }) => status === 'fulfilled').length

export function raceCases(it: Case): void {
  it('fifty appends at once take the sequences 1 to 50 (§6 #44)', async ({ registry, register, record }) => {
    const id = await register()
    const appends = Array.from({ length: 50 }, (_, index) =>
      registry.append(id, { eventType: 'note', payload: { index } }),
    )
    const sequences = (await Promise.all(appends)).map(({ event }) => event.sequence)
    const expected = Array.from({ length: 50 }, (_, index) => index + 1)
    expect(sequences.toSorted((left, right) => left - right)).toEqual(expected)
    expect((await registry.eventsAfter(id, 0)).map(({ sequence }) => sequence)).toEqual(expected)
    expect(await record(id)).toMatchObject({ lastSequence: 50 })
  })

  it('twenty appends at once under one key are one event', async ({ registry, register }) => {
    const id = await register()
    const appends = await Promise.all(
      Array.from({ length: 20 }, () =>
        registry.append(id, { eventType: 'note', payload: 'once', replayKey: 'k' }),
      ),
    )
    expect(appends.filter(({ type }) => type === 'appended')).toHaveLength(1)
    expect(await registry.eventsAfter(id, 0)).toHaveLength(1)
  })

  it('of two terminals under one lease, one is written (§6 #83)', async ({
    registry,
    eventTypes,
    ...world
  }) => {
    const id = await world.register()
    const lease = await world.run(id)
    const results = await Promise.allSettled([
      registry.completeWithLease(lease, COMPLETED),
      registry.completeWithLease(lease, OUTCOMES.failed),
    ])
    expect(WON(results)).toBe(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'process_lease_lost' })
    }
    expect(await eventTypes(id)).toHaveLength(1)
  })

  it('of two terminals by authority, one is written (§6 #83)', async ({
    registry,
    register,
    record,
    eventTypes,
  }) => {
    const id = await register(EXTERNAL)
    const authority = { authority: 'external_owner', grantedTo: 'session:s' } as const
    const results = await Promise.allSettled(
      Object.values(OUTCOMES).map(outcome => registry.complete(id, outcome, authority)),
    )
    expect(WON(results)).toBe(1)
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'process_already_terminal' })
    }
    const { status } = await record(id)
    expect(await eventTypes(id)).toEqual([`process.${status}`])
  })

  it('a worker and an external writer cannot both end a row (§6 #83)', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register()
    const lapsed = await world.start(id)
    clock.advance(TTL)
    const authority = { authority: 'workflow_key', workflowKey: id } as const
    const results = await Promise.allSettled([
      registry.reacquire(lapsed, TTL).then(lease => registry.completeWithLease(lease, COMPLETED)),
      registry.complete(id, OUTCOMES.failed, authority),
    ])
    expect(WON(results)).toBe(1)
    expect((await world.eventTypes(id)).filter(type => /completed|failed/.test(type))).toHaveLength(1)
  })

  it('of a park and a completion under one lease, one is written', async ({ registry, clock, ...world }) => {
    for (let round = 0; round < 20; round++) {
      const id = await world.register({ id: `p${round}` })
      const lease = await world.start(id)
      const park = () => registry.park(lease, [timer('nap', clock.now(), clock.now() + 1_000)])
      const complete = () => registry.completeWithLease(lease, COMPLETED)
      const results = await Promise.allSettled(round % 2 === 0 ? [park(), complete()] : [complete(), park()])
      expect(WON(results)).toBe(1)
      const { status, waits } = await world.record(id)
      expect({ status, waits: waits.length }).toEqual(
        status === 'running' ? { status, waits: 1 } : { status: 'completed', waits: 0 },
      )
      expect(await registry.getLease(id)).toBeUndefined()
    }
  })

  it('a cancel that meets a park is never lost', async ({ registry, clock, ...world }) => {
    for (let round = 0; round < 20; round++) {
      const id = await world.register({ id: `p${round}` })
      const lease = await world.start(id)
      const park = () => registry.park(lease, [timer('open', clock.now())])
      const cancel = () => registry.requestCancel(id)
      const order = round % 2 === 0 ? [park, cancel] : [cancel, park]
      const [first, second] = await Promise.all(order.map(act => act()))
      const parked = round % 2 === 0 ? first : second
      const row = await world.record(id)
      expect(row.cancelRequest).toBeDefined()
      // Either the attempt still runs and hears of it, or the row is parked and due.
      if (row.waits.length === 0) expect(parked).toEqual({ type: 'due' })
      else expect(await world.due()).toContain(id)
    }
  })

  it('of ten attempts begun at once, one runs', async ({ registry, register, begin }) => {
    const id = await register()
    const answers = await Promise.all(Array.from({ length: 10 }, () => begin(id)))
    const types = answers.map(({ type }) => type)
    expect(types.filter(type => type === 'run')).toHaveLength(1)
    expect(types.filter(type => type === 'busy')).toHaveLength(9)
    expect(await registry.getLease(id)).toMatchObject({ fencingToken: 1 })
  })

  it('of ten claims at once, one is acquired', async ({ registry, register }) => {
    const id = await register()
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        registry.claim(id, { ...ANA, incarnationId: `life-${index}` }, TTL),
      ),
    )
    expect(claims.filter(({ type }) => type === 'acquired')).toHaveLength(1)
  })

  it('a write that fails at its end takes nothing from its neighbours, nor their places in the feed', async world => {
    const { registry } = world
    const lease = await world.start(await world.register({ id: 'wrong' }))
    for (const id of ['a', 'b', 'c']) await world.register({ id })
    const cursor = await registry.latestChange()
    const note = { eventType: 'note', payload: null }
    // Its event and its row are written by then: the entry would take the place of a step that is done.
    await registry.saveJournalEntry(lease, entryOf(lease, { value: 'done' }))
    const { value: _, ...entry } = entryOf(lease, { kind: 'emit' })
    const results = await Promise.allSettled([
      registry.emit(lease, entry, note),
      registry.append('a', note),
      registry.append('b', note),
      registry.emit(lease, entry, note),
      registry.append('c', note),
    ])
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([false, true, true, false, true])
    await registry.append('a', note)
    const ids = changedIds(await registry.changesSince(cursor, 10))
    expect({ last: ids.at(-1), all: ids.toSorted() }).toEqual({ last: 'a', all: ['a', 'b', 'c'] })
    expect(await world.eventTypes('wrong')).toEqual(['process.first_started'])
  })

  it('a holder that wakes as another takes over: one of them holds', async ({
    registry,
    clock,
    ...world
  }) => {
    for (let round = 0; round < 20; round++) {
      const id = await world.register({ id: `p${round}` })
      const lapsed = await world.start(id)
      clock.advance(TTL)
      const again = () => registry.reacquire(lapsed, TTL).then(() => 'held' as const)
      const begin = () =>
        world.begin(id, { worker: BEN }).then(({ type }) => (type === 'run' ? ('held' as const) : type))
      const results = await Promise.allSettled(round % 2 === 0 ? [again(), begin()] : [begin(), again()])
      const held = results.filter(result => result.status === 'fulfilled' && result.value === 'held')
      expect(held).toHaveLength(1)
      expect(await registry.getLease(id)).toMatchObject({ fencingToken: 2 })
    }
  })
}
