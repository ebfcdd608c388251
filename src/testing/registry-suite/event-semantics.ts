import { expect } from 'vitest'
import { wakeOn } from '../../model/event.ts'
import type { EventSemantics } from '../../model/event-semantics.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { asJson, type Json } from '../../model/json.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { COMPLETED, EXTERNAL, TTL, timer } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const type = (name: string, semantics: EventSemantics) => ({ name, payloadSchema: true, semantics })

const ENDING = {
  eventTypes: [
    type('delivered', { terminal: { state: 'completed' } }),
    type('declined', { terminal: { state: 'failed', awaitOutput: { pointer: '/why' } } }),
    { name: 'note', payloadSchema: true },
    { name: 'signal.go', payloadSchema: true },
  ],
}
const delivered = { eventType: 'delivered', payload: { parcels: 2 }, replayKey: 'end' }
const declined = (why: Json) => ({ eventType: 'declined', payload: { why }, replayKey: 'end' })

const WAKING = {
  eventTypes: [
    type('news', { wake: { when: { present: '/text' }, input: { pointer: '/text' } } }),
    { name: 'note', payloadSchema: true },
  ],
}
const news = (text?: string) => ({ eventType: 'news', payload: text === undefined ? {} : { text } })

export const emitEntry = (lease: ProcessLease): Omit<JournalEntry, 'value'> => ({
  processId: lease.processId,
  epoch: 0,
  position: 1,
  address: 'delivered#1',
  kind: 'emit',
  effect: 'repeatable',
  digest: 'digest',
  status: 'done',
  operationId: 'op_1',
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 1,
})

export function semanticsCases(it: Case): void {
  it('an event of a terminal type ends the process with what it picks', async ({
    registry,
    clock,
    ...world
  }) => {
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    clock.advance(9)
    const { event } = await registry.append(id, delivered)
    const outcome = { status: 'completed', value: { parcels: 2 } }
    expect(event.semantics).toEqual({ terminal: { state: 'completed', output: outcome } })
    expect(await world.record(id)).toMatchObject({ status: 'completed', outcome, updatedAtMs: clock.now() })
    expect(await registry.eventsAfter(id, 0)).toEqual([event])
  })

  it('a plain reason becomes a failure (§6 #43)', async ({ registry, register, record }) => {
    const id = await register({ ...EXTERNAL, ...ENDING })
    await registry.append(id, declined('too late'))
    expect(await record(id)).toMatchObject({
      status: 'failed',
      outcome: { status: 'failed', code: 'process_failed', message: 'too late' },
    })
  })

  it('an output of another state is refused (§6 #42)', async world => {
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    await unchanged(world, id, () =>
      refused(world.registry.append(id, declined(asJson(COMPLETED))), 'process_event_selector'),
    )
    expect(await world.registry.eventsAfter(id, 0)).toEqual([])
  })

  it('a payload without what its type picks is refused', async world => {
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    await unchanged(world, id, () =>
      refused(world.registry.append(id, { ...declined('x'), payload: {} }), 'process_event_selector'),
    )
  })

  it('an event of a terminal type needs a key (§6 #38)', async world => {
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    const { replayKey: _, ...keyless } = delivered
    await unchanged(world, id, () =>
      refused(world.registry.append(id, keyless), 'process_event_replay_required'),
    )
  })

  it('the same terminal event again is a replay, another one is refused (§6 #40)', async world => {
    const { registry, clock } = world
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    const { event } = await registry.append(id, delivered)
    clock.advance(9)
    await unchanged(world, id, async () => {
      expect(await registry.append(id, delivered)).toEqual({ type: 'replayed', event })
      const other = { ...declined('too late'), replayKey: 'another' }
      await refused(registry.append(id, other), 'process_already_terminal')
      const authority = { authority: 'external_owner', grantedTo: 's' } as const
      await refused(registry.complete(id, COMPLETED, authority), 'process_already_terminal')
    })
  })

  it('an append does not end a process under its holder', async world => {
    const { registry, clock } = world
    const id = await world.register(ENDING)
    await world.start(id)
    await unchanged(world, id, () => refused(registry.append(id, delivered), 'process_lease_busy'))
    clock.advance(TTL)
    expect(await registry.append(id, delivered)).toMatchObject({ type: 'appended' })
    expect(await world.begin(id)).toEqual({ type: 'terminal', status: 'completed' })
  })

  it('a holder ends its process with an event, and its lease with it', async ({ registry, ...world }) => {
    const id = await world.register(ENDING)
    const lease = await world.start(id)
    const { event } = await registry.emit(lease, emitEntry(lease), delivered)
    expect(await world.record(id)).toMatchObject({ status: 'completed', lastSequence: event.sequence })
    expect(await registry.getLease(id)).toBeUndefined()
    expect(await registry.journal(id)).toMatchObject([{ address: 'delivered#1' }])
    expect(await world.due()).toEqual([])
    await refused(registry.completeWithLease(lease, COMPLETED), 'process_lease_lost')
  })

  it('an event that ends a parked process takes its waits, and has its run told', async world => {
    const { registry, clock } = world
    const id = await world.register(ENDING)
    await registry.park(await world.start(id), [timer('open', clock.now())])
    await registry.append(id, delivered)
    expect(await world.record(id)).toMatchObject({ status: 'completed', waits: [] })
    expect(await world.due()).toEqual([id])
  })

  it('a signal to an ended process is refused, a note is taken', async world => {
    const id = await world.register({ ...EXTERNAL, ...ENDING })
    await world.registry.append(id, delivered)
    const signal = { eventType: 'signal.go', payload: null }
    await unchanged(world, id, () => refused(world.registry.append(id, signal), 'process_already_terminal'))
    expect(await world.registry.append(id, { eventType: 'note', payload: 1 })).toMatchObject({
      type: 'appended',
    })
  })

  it('an event keeps what it woke with (§6 #47)', async ({ registry, register }) => {
    const id = await register(WAKING)
    const { event } = await registry.append(id, news('it rains'))
    expect(event.semantics).toEqual({ wake: { input: 'it rains', dedupeKey: `${id}:1` } })
    expect(await registry.eventsAfter(id, 0)).toEqual([event])
  })

  it('a guard that does not hold wakes nobody (§6 #48)', async ({ registry, register }) => {
    const id = await register(WAKING)
    const { event } = await registry.append(id, news())
    expect(event).not.toHaveProperty('semantics')
    expect(await registry.wakeEventsAfter(id, 0)).toEqual([])
  })

  it('wakes are listed until they are acknowledged, above the cursor (§6 #54)', async ({
    registry,
    register,
  }) => {
    const id = await register(WAKING)
    for (const text of ['a', 'b', 'c']) await registry.append(id, news(text))
    await registry.append(id, { eventType: 'note', payload: null })
    const waking = async (after: number, limit?: number) =>
      (await registry.wakeEventsAfter(id, after, limit)).map(({ sequence }) => sequence)
    expect(await waking(0)).toEqual([1, 2, 3])
    expect(await waking(1)).toEqual([2, 3])
    expect(await waking(0, 2)).toEqual([1, 2])
    await registry.ackWake(id, 2)
    await registry.ackWake(id, 2)
    await registry.ackWake(id, 4)
    expect(await waking(0)).toEqual([1, 3])
  })

  it('an acknowledgement changes neither row nor log', async world => {
    const id = await world.register(WAKING)
    const { event } = await world.registry.append(id, news('a'))
    await unchanged(world, id, () => world.registry.ackWake(id, 1))
    expect(await world.registry.eventsAfter(id, 0)).toEqual([event])
  })

  it('an outcome wakes as its type was declared to, by either door', async ({ registry, ...world }) => {
    const eventTypes = [wakeOn('process.completed', { input: { pointer: '/await_output/value/files' } })]
    const wake = async (id: string) => (await registry.recentEvents(id, 1))[0]?.semantics?.wake
    const leased = await world.register({ id: 'leased', eventTypes })
    await registry.completeWithLease(await world.start(leased), COMPLETED)
    expect(await wake(leased)).toMatchObject({ input: '3' })
    const external = await world.register({ ...EXTERNAL, id: 'external', eventTypes })
    await registry.complete(external, COMPLETED, { authority: 'external_owner', grantedTo: 's' })
    expect(await wake(external)).toMatchObject({ input: '3' })
  })

  it('a wake that does not fit never keeps an outcome from being written', async ({ registry, ...world }) => {
    const id = await world.register({
      eventTypes: [wakeOn('process.completed', { input: { pointer: '/none' } })],
    })
    await registry.completeWithLease(await world.start(id), COMPLETED)
    expect(await world.record(id)).toMatchObject({ status: 'completed', outcome: COMPLETED })
    expect((await registry.wakeEventsAfter(id, 0))[0]?.semantics?.wake?.input).toContain('"files":3')
  })

  it('events of a type are counted through a sequence, itself included (§6 #34)', async ({
    registry,
    register,
  }) => {
    const id = await register(WAKING)
    for (const text of ['a', 'b', undefined]) await registry.append(id, news(text))
    await registry.append(id, { eventType: 'note', payload: null })
    const counted = [0, 1, 3, 99].map(through => registry.countEventsThrough(id, 'news', through))
    expect(await Promise.all(counted)).toEqual([0, 1, 3, 3])
    expect(await registry.countEventsThrough(id, 'nothing', 99)).toBe(0)
  })
}
