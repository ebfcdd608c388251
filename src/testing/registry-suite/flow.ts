import { expect } from 'vitest'
import { type Flow, LOOK_MS, TURN_MS } from '../../model/flow.ts'
import { emitEntry } from './event-semantics.ts'
import { ANA, BEN, COMPLETED, registration, TTL, timer } from './fixtures.ts'
import { type Case, refused, type World } from './harness.ts'

const ONE: Flow = { concurrency: { key: 'customer-7', limit: 1 } }

/** Each a millisecond older than the next. */
async function registerAll(world: World, flows: Readonly<Record<string, Flow>>): Promise<void> {
  for (const [id, flow] of Object.entries(flows)) {
    await world.register({ id, flow })
    world.clock.advance(1)
  }
}

/** Those of the ids that are in nobody's way any more: their turn has come. */
const begun = async (world: World, ids: readonly string[]): Promise<string[]> => {
  const answers = await Promise.all(ids.map(async id => ({ id, answer: await world.begin(id) })))
  return answers.filter(({ answer }) => answer.type === 'run').map(({ id }) => id)
}

export function flowCases(it: Case): void {
  it('no more of a key begin than its limit; the next is due when one ends', async world => {
    await registerAll(world, { first: ONE, second: ONE, other: { concurrency: { key: 'other', limit: 1 } } })
    const lease = await world.start('first')
    expect(await world.begin('second')).toEqual({
      type: 'queued',
      turn: { on: 'concurrency', key: 'customer-7', sinceMs: world.clock.now() },
    })
    expect(await world.record('second')).toMatchObject({ attempts: 0, turn: { key: 'customer-7' } })
    await world.run('other')
    expect(await world.due()).toEqual([])
    await world.registry.completeWithLease(lease, COMPLETED)
    expect(await world.due()).toEqual(['second'])
    await world.run('second')
    expect(await world.record('second')).not.toHaveProperty('turn')
  })

  it('one that ends by an event of its own frees its place like any other', async world => {
    const eventTypes = [
      { name: 'enough', payloadSchema: true, semantics: { terminal: { state: 'completed' as const } } },
    ]
    await world.register({ id: 'first', flow: ONE, eventTypes })
    await registerAll(world, { second: ONE })
    const lease = await world.run('first')
    expect((await world.begin('second')).type).toBe('queued')
    await world.registry.emit(lease, emitEntry(lease), {
      eventType: 'enough',
      payload: null,
      replayKey: 'end',
    })
    expect(await world.due()).toEqual(['second'])
  })

  it('one that is told of its turn is a change of its row, so that whoever waits hears of it', async world => {
    await registerAll(world, { first: ONE, second: ONE })
    const lease = await world.run('first')
    await world.begin('second')
    const before = await world.registry.latestChange()
    await world.registry.endAttempt(lease, 'shutdown')
    const { changes } = await world.registry.changesSince(before, 10)
    expect(changes.map(({ id }) => id)).toContain('second')
  })

  it('the queue of a key is in order of priority, then of age', async world => {
    const urgent = { ...ONE, priority: 1 }
    await registerAll(world, {
      holder: ONE,
      old: ONE,
      young: ONE,
      late: urgent,
      last: { ...ONE, priority: 5 },
    })
    let lease = await world.run('holder')
    for (const id of ['last', 'young', 'old', 'late']) expect((await world.begin(id)).type).toBe('queued')
    const order: string[] = []
    for (let turns = 0; turns < 4; turns++) {
      await world.registry.completeWithLease(lease, COMPLETED)
      const [next] = (await world.due()).filter(id => id !== 'holder')
      order.push(next ?? 'nobody')
      lease = await world.run(next ?? 'nobody')
    }
    expect(order).toEqual(['late', 'old', 'young', 'last'])
  })

  it('one that comes new does not pass those in the queue', async world => {
    await registerAll(world, { holder: ONE, queued: ONE })
    const lease = await world.run('holder')
    await world.begin('queued')
    await world.registry.completeWithLease(lease, COMPLETED)
    await registerAll(world, { fresh: ONE })
    expect((await world.begin('fresh')).type).toBe('queued')
    await world.run('queued')
  })

  it('however many begin at once, no more of a key run than its limit', async world => {
    const three = { concurrency: { key: 'k', limit: 3 } }
    const ids = Array.from({ length: 10 }, (_, index) => `p-${index}`)
    await registerAll(world, Object.fromEntries(ids.map(id => [id, three])))
    expect(await begun(world, ids)).toHaveLength(3)
    // Those who came in the wrong order have been told meanwhile.
    expect((await begun(world, await world.due())).length).toBe(0)
  })

  it('a place that lapsed is free: the first of the queue looks by itself, and it alone', async world => {
    await registerAll(world, { holder: ONE, first: ONE, second: ONE })
    await world.run('holder')
    for (const id of ['first', 'second']) await world.begin(id)
    world.clock.advance(Math.max(TTL, LOOK_MS) + 5)
    expect(await world.due()).toContain('first')
    expect(await world.due()).not.toContain('second')
    await world.run('first')
  })

  it('the place of a holder that is proven dead is free at once', async world => {
    await registerAll(world, { holder: ONE, queued: ONE })
    await world.registry.announceWorker(BEN)
    await world.run('holder', { worker: BEN })
    await world.begin('queued')
    await world.registry.proveWorkerDead(BEN)
    expect(await world.due()).toContain('queued')
    await world.run('queued')
  })

  it('one whose lease lapsed does not come back onto the place of another', async world => {
    await registerAll(world, { holder: ONE, queued: ONE })
    const lease = await world.run('holder')
    await world.begin('queued')
    world.clock.advance(TTL + 1)
    await world.run('queued')
    await refused(world.registry.reacquire(lease, TTL), 'process_lease_lost')
  })

  it('one whose lease lapsed comes back where its place is free, and is in no queue', async world => {
    await registerAll(world, { holder: ONE })
    const lease = await world.run('holder')
    world.clock.advance(TTL + 1)
    expect(await world.registry.reacquire(lease, TTL)).toMatchObject({ fencingToken: 2 })
    await registerAll(world, { queued: ONE })
    expect((await world.begin('queued')).type).toBe('queued')
  })

  it('one that parks gives its place up, and takes its turn to go on', async world => {
    await registerAll(world, { parent: ONE, child: ONE })
    const lease = await world.start('parent')
    await world.begin('child')
    const until = world.clock.now() + 10
    await world.registry.park(lease, [timer('nap', world.clock.now(), until)])
    const childs = await world.run('child')
    world.clock.advance(20)
    expect((await world.begin('parent')).type).toBe('queued')
    await world.registry.completeWithLease(childs, COMPLETED)
    await world.run('parent')
    expect(await world.eventTypes('parent')).toContain('process.resumed')
  })

  it('one that is cancelled in the queue ends without a place, and those behind it move up', async world => {
    await registerAll(world, { holder: ONE, queued: ONE, behind: ONE })
    const lease = await world.run('holder')
    for (const id of ['queued', 'behind']) await world.begin(id)
    await world.registry.requestCancel('queued', 'no more')
    const answer = await world.begin('queued')
    expect(answer).toMatchObject({ type: 'settle', outcome: { status: 'cancelled' } })
    if (answer.type === 'settle') await world.registry.completeWithLease(answer.lease, answer.outcome)
    expect(await world.record('queued')).not.toHaveProperty('turn')
    await world.registry.completeWithLease(lease, COMPLETED)
    expect(await world.due()).toEqual(['behind'])
  })

  it('one that was told and does not come is passed over, and its turn stays', async world => {
    await registerAll(world, { holder: ONE, gone: ONE, behind: ONE })
    const lease = await world.run('holder')
    for (const id of ['gone', 'behind']) await world.begin(id)
    await world.registry.completeWithLease(lease, COMPLETED)
    expect((await world.begin('behind')).type).toBe('queued')
    world.clock.advance(TURN_MS + 1)
    expect(await world.due()).toEqual(expect.arrayContaining(['gone', 'behind']))
    const late = await world.run('behind')
    expect((await world.begin('gone')).type).toBe('queued')
    await world.registry.completeWithLease(late, COMPLETED)
    await world.run('gone')
  })

  it('the very same request again finds its attempt begun', async world => {
    await registerAll(world, { holder: ONE })
    const lease = await world.run('holder', { attempt: 'mine' })
    expect(await world.begin('holder', { attempt: 'mine' })).toMatchObject({
      type: 'run',
      lease: { leaseToken: lease.leaseToken },
    })
  })

  it('a rate lets its burst begin, and then one after the other', async world => {
    const rate: Flow = { rate: { key: 'mails', limit: 2, periodMs: 1_000 } }
    await registerAll(world, { a: rate, b: rate, c: rate, d: rate })
    const now = world.clock.now()
    expect(await begun(world, ['a', 'b'])).toEqual(['a', 'b'])
    expect(await world.begin('c')).toMatchObject({ type: 'queued', turn: { on: 'rate', key: 'mails' } })
    expect((await world.begin('d')).type).toBe('queued')
    expect(await world.record('c')).toMatchObject({ turn: { atMs: now + 500 } })
    world.clock.advance(499)
    expect(await world.due()).not.toContain('c')
    world.clock.advance(1)
    expect(await world.due()).toContain('c')
    await world.run('c')
    expect((await world.begin('d')).type).toBe('queued')
    expect(await world.record('d')).toMatchObject({ turn: { atMs: now + 1_000 } })
    world.clock.advance(500)
    await world.run('d')
  })

  it('a rate counts what begins, and nothing that goes on', async world => {
    const rate: Flow = { rate: { key: 'mails', limit: 1, periodMs: 60_000 } }
    await registerAll(world, { a: rate, b: rate })
    const lease = await world.run('a')
    await world.registry.endAttempt(lease, 'shutdown')
    await world.run('a')
    expect((await world.begin('b')).type).toBe('queued')
  })

  it('what waits for a place uses up nothing of its rate', async world => {
    const rate = { key: 'mails', limit: 1, periodMs: 60_000 }
    await registerAll(world, { holder: ONE, waiting: { ...ONE, rate }, rated: { rate } })
    await world.run('holder')
    expect(await world.begin('waiting')).toMatchObject({ turn: { on: 'concurrency' } })
    await world.run('rated')
  })

  it('spent rates go with a prune, and live ones stay', async world => {
    const rate: Flow = { rate: { key: 'mails', limit: 1, periodMs: 60_000 } }
    await registerAll(world, { a: rate, b: rate })
    await world.run('a')
    await world.registry.prune({ before: world.clock.now() })
    expect((await world.begin('b')).type).toBe('queued')
    world.clock.advance(60_000)
    await world.registry.prune({ before: world.clock.now() })
    await world.run('b')
  })

  it('a start that would begin at once is due instead, for its turn to be looked at', async world => {
    const request = { worker: ANA, attempt: 'attempt-0', ttlMs: TTL }
    const result = await world.registry.registerAndBegin(registration({ id: 'p', flow: ONE }), request)
    expect(result).not.toHaveProperty('begun')
    expect(await world.due()).toEqual(['p'])
  })

  it('a submission that is recorded late makes nothing due that is queued', async world => {
    await registerAll(world, { holder: ONE, queued: ONE, behind: ONE })
    await world.run('holder')
    const { attempts, lastSequence } = await world.record('behind')
    for (const id of ['queued', 'behind']) await world.begin(id)
    const ref = { backend: 'temporal', id: 'behind' }
    await world.registry.recordSubmitted('behind', { ref, attempts, lastSequence })
    world.clock.advance(600_000)
    expect(await world.due()).not.toContain('behind')
  })

  for (const [what, flow] of Object.entries({
    'a blank key': { concurrency: { key: ' ', limit: 1 } },
    'no place at all': { concurrency: { key: 'k', limit: 0 } },
    'a period of nothing': { rate: { key: 'k', limit: 1, periodMs: 0 } },
    'a priority of 6': { priority: 6 },
    'a fairness key that Temporal refuses': { fairness: { key: 'x'.repeat(65) } },
    'a weight of nothing': { fairness: { key: 'k', weight: 0 } },
  } satisfies Record<string, Flow>)) {
    it(`${what} is refused`, async world => {
      await refused(world.register({ flow }), 'process_registration_invalid')
    })
  }
}
