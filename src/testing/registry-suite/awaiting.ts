import { expect } from 'vitest'
import { RESERVED_EVENT_TYPES } from '../../model/event.ts'
import type { WaitCondition, WaitState } from '../../model/wait.ts'
import { BEN, COMPLETED, EXTERNAL, OUTCOMES, TTL, timer } from './fixtures.ts'
import type { Case, World } from './harness.ts'

/** The two: `me` waits, and what it waits for happens to itself (signals) or to `other`. */
const ME = { id: 'me', eventTypes: [{ name: 'signal.go', payloadSchema: true }] }
const OTHER = {
  ...{ ...EXTERNAL, id: 'other' },
  eventTypes: [
    { name: 'note', payloadSchema: true },
    { name: 'done', payloadSchema: true, semantics: { terminal: { state: 'completed' } } } as const,
  ],
}

interface Awaiting {
  readonly on: WaitCondition
  /** Each satisfies it. */
  readonly acts: Readonly<Record<string, (world: World) => Promise<unknown>>>
  /** Each does not. */
  readonly others: Readonly<Record<string, (world: World) => Promise<unknown>>>
}

const note = ({ registry }: World) => registry.append('other', { eventType: 'note', payload: null })
const complete = ({ registry }: World) =>
  registry.complete('other', COMPLETED, { authority: 'external_owner', grantedTo: 's' })
const end = ({ registry }: World) =>
  registry.append('other', { eventType: 'done', payload: null, replayKey: 'k' })
const go = ({ registry }: World) => registry.signal('me', 'go', 'now')

const AWAITING: Readonly<Record<string, Awaiting>> = {
  'a signal': {
    on: { type: 'signal', name: 'go' },
    acts: {
      'it is sent': go,
      'its event is appended': ({ registry }) =>
        registry.append('me', { eventType: 'signal.go', payload: 1 }),
    },
    others: { 'something happens elsewhere': note },
  },
  'the end of a process': {
    on: { type: 'process', processId: 'other' },
    acts: { 'it is completed': complete, 'an event of its own ends it': end },
    others: { 'something happens to it': note, 'a signal comes': go },
  },
  'an event of a process': {
    on: { type: 'event', processId: 'other', eventType: 'note', after: 0 },
    acts: { 'it is appended': note },
    others: { 'the process ends without it': complete, 'a signal comes': go },
  },
}

const waitOn = (on: WaitCondition): WaitState => ({ key: 'w', sinceMs: 0, on })

async function both(world: World) {
  await world.register(OTHER)
  await world.register(ME)
  return world.start('me')
}

export function awaitingCases(it: Case): void {
  for (const [what, { on, acts, others }] of Object.entries(AWAITING)) {
    for (const [when, act] of Object.entries(acts)) {
      it(`${what}: a park finds it there already, when ${when} before (§6 #69)`, async world => {
        const lease = await both(world)
        await act(world)
        expect(await world.registry.park(lease, [waitOn(on)])).toEqual({ type: 'due' })
        expect(await world.record('me')).toMatchObject({ waits: [] })
        expect(await world.registry.getLease('me')).toEqual(lease)
      })

      it(`${what}: a parked process is due at once when ${when}`, async world => {
        const { registry, clock } = world
        const lease = await both(world)
        await registry.park(lease, [waitOn(on), timer('nap', clock.now(), clock.now() + 1e9)])
        clock.advance(7)
        expect(await world.due()).toEqual([])
        await act(world)
        expect(await world.due()).toEqual(['me'])
        expect((await world.record('me')).waits[0]).toEqual({ ...waitOn(on), satisfiedAtMs: clock.now() })
        await world.run('me')
        expect(await world.record('me')).toMatchObject({ waits: [] })
        const resumed = (await registry.eventsAfter('me', 0)).filter(
          ({ eventType }) => eventType === 'process.resumed',
        )
        expect(resumed.map(({ payload }) => payload)).toEqual([{ key: 'w' }])
      })

      it(`${what}: a wait that is set from outside is due when ${when}, before or after`, async world => {
        const { registry } = world
        await world.register(OTHER)
        await world.register(ME)
        const isSignal = on.type === 'signal'
        await world.register({ ...ME, id: 'late' })
        await registry.setWait('me', waitOn(on))
        expect((await world.begin('me')).type).toBe('parked')
        await act(world)
        expect((await world.begin('me')).type).toBe('run')
        // A signal is the process's own: the other one has none.
        await registry.setWait('late', waitOn(on))
        expect((await world.begin('late')).type).toBe(isSignal ? 'parked' : 'run')
      })
    }

    for (const [when, act] of Object.entries(others)) {
      it(`${what}: a parked process stays so when ${when}`, async world => {
        const lease = await both(world)
        await world.registry.park(lease, [waitOn(on)])
        await act(world)
        expect(await world.begin('me')).toEqual({ type: 'parked' })
        expect(await world.due()).toEqual([])
      })
    }

    it(`${what}: however it meets the park, it is never lost`, async world => {
      const { registry, clock } = world
      for (let round = 0; round < 40; round++) {
        const [id, other] = [`me${round}`, `other${round}`]
        await world.register({ ...OTHER, id: other })
        await world.register({ ...ME, id })
        const lease = await world.start(id)
        const condition = 'processId' in on ? { ...on, processId: other } : on
        const wait = { ...waitOn(condition), untilMs: clock.now() + 1e9 }
        const satisfy = () =>
          on.type === 'signal'
            ? registry.signal(id, 'go', null)
            : on.type === 'event'
              ? registry.append(other, { eventType: 'note', payload: null })
              : registry.complete(other, COMPLETED, { authority: 'external_owner', grantedTo: 's' })
        const park = () => registry.park(lease, [wait])
        const noise = () => registry.append(id, { eventType: 'signal.go', payload: 'noise' })
        const acts: (() => Promise<unknown>)[] = round % 2 === 0 ? [park, satisfy] : [satisfy, park]
        // Writes of the waiter's own row between the two.
        if (on.type !== 'signal' && round % 3 === 0) acts.splice(1, 0, noise)
        await Promise.all(acts.map(act => act()))
        const { waits } = await world.record(id)
        // It either never parked, or is due; nothing else looks at it before its far deadline.
        if (waits.length === 0) expect(await registry.getLease(id)).toEqual(lease)
        else expect((await world.begin(id)).type).toBe('run')
      }
    })
  }

  it('an event at or before the cursor is not the one that is awaited', async world => {
    const lease = await both(world)
    await note(world)
    const after = { type: 'event', processId: 'other', eventType: 'note', after: 1 } as const
    expect(await world.registry.park(lease, [waitOn(after)])).toEqual({ type: 'parked' })
    await note(world)
    expect(await world.due()).toEqual(['me'])
  })

  it('one end wakes all who wait for it, whatever their number', async world => {
    await world.register(OTHER)
    const ids = ['a', 'b', 'c', 'd']
    for (const id of ids) {
      await world.register({ ...ME, id })
      await world.registry.park(await world.start(id), [waitOn({ type: 'process', processId: 'other' })])
    }
    await complete(world)
    expect((await world.due()).toSorted()).toEqual(ids)
  })

  it('an outcome under a lease wakes whoever waits for it', async world => {
    const { registry } = world
    await world.register({ id: 'child' })
    await world.register(ME)
    const wait = waitOn({ type: 'process', processId: 'child' })
    await registry.park(await world.start('me'), [wait])
    await registry.completeWithLease(await world.start('child'), OUTCOMES.failed)
    expect(await world.due()).toEqual(['me'])
  })

  it('events that the registry writes itself can be awaited', async world => {
    const { registry } = world
    await world.register({ id: 'child' })
    await world.register(ME)
    const eventType = RESERVED_EVENT_TYPES.firstStarted
    const started = { type: 'event', processId: 'child', eventType, after: 0 } as const
    await registry.park(await world.start('me'), [waitOn(started)])
    await world.start('child')
    expect(await world.due()).toContain('me')
  })

  it('a process that is not there is no reason to wait', async world => {
    const lease = await both(world)
    for (const on of [
      { type: 'process', processId: 'ghost' },
      { type: 'event', processId: 'ghost', eventType: 'note', after: 0 },
    ] as const) {
      expect(await world.registry.park(lease, [waitOn(on)])).toEqual({ type: 'due' })
    }
  })

  it('whoever has ended is told nothing more', async world => {
    const { registry } = world
    await registry.park(await both(world), [waitOn({ type: 'process', processId: 'other' })])
    await registry.requestCancel('me')
    const answer = await world.begin('me')
    if (answer.type === 'settle') await registry.completeWithLease(answer.lease, answer.outcome)
    const before = await world.record('me')
    await complete(world)
    expect(await world.record('me')).toEqual(before)
    expect(await world.due()).toEqual([])
  })

  it('a wait set on a process that runs is kept for the attempt after this one', async world => {
    const { registry, clock } = world
    await both(world)
    await registry.setWait('me', waitOn({ type: 'process', processId: 'other' }))
    await complete(world)
    expect(await world.due()).toEqual([])
    clock.advance(TTL)
    expect((await world.begin('me', { worker: BEN })).type).toBe('run')
  })

  it('the same wait set again keeps what it has got', async world => {
    const { registry } = world
    await world.register(OTHER)
    await world.register(ME)
    const wait = waitOn({ type: 'process', processId: 'other' })
    await registry.setWait('me', wait)
    await complete(world)
    const before = await world.record('me')
    expect(await registry.setWait('me', wait)).toEqual(before)
  })

  it('two who wait for each other park both, and each wakes the other', async world => {
    const { registry } = world
    for (const id of ['a', 'b']) {
      await world.register({ id, eventTypes: [{ name: 'note', payloadSchema: true }] })
    }
    const on = (processId: string) => waitOn({ type: 'event', processId, eventType: 'note', after: 0 })
    const [a, b] = [await world.start('a'), await world.start('b')]
    await Promise.all([registry.park(a, [on('b')]), registry.park(b, [on('a')])])
    await Promise.all(['a', 'b'].map(id => registry.append(id, { eventType: 'note', payload: 1 })))
    expect((await world.due()).toSorted()).toEqual(['a', 'b'])
  })
}
