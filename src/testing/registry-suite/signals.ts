import { expect } from 'vitest'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import { BEN, COMPLETED, EXTERNAL, TTL } from './fixtures.ts'
import { type Case, refused, unchanged } from './harness.ts'

const SCHEMA = { type: 'object', required: ['by'], properties: { by: { type: 'string' } } }
const LISTENING = {
  eventTypes: [
    { name: 'signal.go', payloadSchema: SCHEMA },
    { name: 'signal.stop', payloadSchema: true },
  ],
}
const by = (who: string) => ({ by: who })

/** The entry of the process's nth wait for a signal. */
const waitEntry = (lease: ProcessLease, nth: number): Omit<JournalEntry, 'status' | 'value'> => ({
  processId: lease.processId,
  epoch: 0,
  position: nth,
  address: `go#${nth}`,
  kind: 'signal',
  effect: 'repeatable',
  digest: 'digest',
  operationId: `op_${nth}`,
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  startedAtMs: 1,
  endedAtMs: 1,
})

const value = (sequence: number, who: string) => ({ sequence, payload: by(who) })

export function signalCases(it: Case): void {
  it('a signal is an event of the process', async ({ registry, register }) => {
    const id = await register(LISTENING)
    const answer = await registry.signal(id, 'go', by('ana'), { signalId: 's-1' })
    expect(answer).toMatchObject({
      type: 'appended',
      isDue: false,
      event: {
        eventType: 'signal.go',
        payload: by('ana'),
        invocation: { replay: { key: `process:${id}:signal.go:s-1` } },
      },
    })
    expect(await registry.eventsAfter(id, 0)).toEqual([answer.event])
  })

  for (const name of ['', 'a b', 'é', 'a.b', 'x'.repeat(129)]) {
    it(`the name ${JSON.stringify(name.slice(0, 9))} is refused (§6 #66)`, async world => {
      const id = await world.register(LISTENING)
      await unchanged(world, id, () =>
        refused(world.registry.signal(id, name, null), 'process_signal_name_invalid'),
      )
    })
  }

  it('a signal that is not declared is refused, and one of another shape (§6 #67)', async world => {
    const id = await world.register(LISTENING)
    await unchanged(world, id, async () => {
      await refused(world.registry.signal(id, 'nothing', null), 'process_event_undeclared')
      await refused(world.registry.signal(id, 'go', { by: 7 }), 'process_event_schema')
      await refused(world.registry.signal(id, 'stop', 'x'.repeat(MAX_PAYLOAD_BYTES)), 'payload_too_large')
      await refused(world.registry.signal(id, 'stop', null, { signalId: '' }), 'usage')
    })
  })

  it('an ended process takes no signal (§6 #71)', async world => {
    const id = await world.register({ ...EXTERNAL, ...LISTENING })
    await world.registry.signal(id, 'go', by('ana'), { signalId: 's-1' })
    await world.registry.complete(id, COMPLETED, { authority: 'external_owner', grantedTo: 's' })
    await unchanged(world, id, async () => {
      await refused(world.registry.signal(id, 'go', by('ben')), 'process_already_terminal')
      // Whoever did not hear the answer may still ask again.
      const again = await world.registry.signal(id, 'go', by('ana'), { signalId: 's-1' })
      expect(again).toMatchObject({ type: 'replayed', isDue: false })
    })
  })

  it('one that came before the wait is taken at once (§6 #69)', async ({ registry, register, start }) => {
    const id = await register(LISTENING)
    await registry.signal(id, 'go', by('ana'))
    const lease = await start(id)
    const entry = waitEntry(lease, 1)
    const resolved = { ...entry, status: 'done', value: value(1, 'ana') }
    expect(await registry.consumeSignal(lease, entry, { name: 'go' })).toEqual({
      type: 'resolved',
      entry: resolved,
    })
    expect(await registry.journal(id)).toEqual([resolved])
  })

  it('the same signal twice is one event, and is taken once (§6 #70)', async ({
    registry,
    register,
    start,
  }) => {
    const id = await register(LISTENING)
    for (let time = 0; time < 2; time++) await registry.signal(id, 'go', by('ana'), { signalId: 's-1' })
    await refused(registry.signal(id, 'go', by('ben'), { signalId: 's-1' }), 'process_event_replay_conflict')
    expect(await registry.eventsAfter(id, 0)).toHaveLength(1)
    const lease = await start(id)
    expect(await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })).toMatchObject({
      type: 'resolved',
    })
    expect(await registry.consumeSignal(lease, waitEntry(lease, 2), { name: 'go' })).toEqual({ type: 'none' })
  })

  it('each wait takes the lowest of its name that no other has taken', async ({
    registry,
    register,
    start,
  }) => {
    const id = await register(LISTENING)
    await registry.signal(id, 'stop', null)
    for (const who of ['ana', 'ben', 'eve']) await registry.signal(id, 'go', by(who))
    const lease = await start(id)
    for (const nth of [1, 2]) await registry.consumeSignal(lease, waitEntry(lease, nth), { name: 'go' })
    expect((await registry.journal(id)).map(entry => entry.value)).toEqual([value(2, 'ana'), value(3, 'ben')])
    expect(await registry.consumeSignal(lease, waitEntry(lease, 3), { name: 'stop' })).toMatchObject({
      entry: { value: { sequence: 1 } },
    })
  })

  it('a wait that is asked again, after a lost answer, takes no second one', async world => {
    const { registry } = world
    const id = await world.register(LISTENING)
    for (const who of ['ana', 'ben']) await registry.signal(id, 'go', by(who))
    const lease = await world.start(id)
    const first = await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })
    expect(await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })).toEqual(first)
    expect(await registry.consumeSignal(lease, waitEntry(lease, 2), { name: 'go' })).toMatchObject({
      entry: { value: value(2, 'ben') },
    })
  })

  it('a wait that timed out takes nothing, then or later', async ({ registry, register, start }) => {
    const id = await register(LISTENING)
    const lease = await start(id)
    expect(await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })).toEqual({ type: 'none' })
    const timedOut = { ...waitEntry(lease, 1), status: 'done', value: null } as const
    await registry.saveJournalEntry(lease, timedOut)
    await registry.signal(id, 'go', by('late'))
    expect(await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })).toEqual({
      type: 'resolved',
      entry: timedOut,
    })
    expect(await registry.consumeSignal(lease, waitEntry(lease, 2), { name: 'go' })).toMatchObject({
      entry: { value: { payload: by('late') } },
    })
  })

  it('a signal that came too late for a wait is left to the next', async world => {
    const { registry, clock } = world
    const id = await world.register(LISTENING)
    const lease = await world.start(id)
    const untilMs = clock.now()
    await registry.signal(id, 'go', by('in time'))
    clock.advance(1)
    await registry.signal(id, 'go', by('late'))
    const entries = [1, 2].map(nth => waitEntry(lease, nth))
    const answers = []
    for (const entry of entries)
      answers.push(await registry.consumeSignal(lease, entry, { name: 'go', untilMs }))
    expect(answers).toMatchObject([{ entry: { value: { payload: by('in time') } } }, { type: 'none' }])
    expect(await registry.nextSignal(id, 'go')).toMatchObject({ payload: by('late') })
  })

  it('a row that the sender submits is due only if that fails', async ({ registry, ...world }) => {
    const wait = { key: 'w', sinceMs: 0, on: { type: 'signal', name: 'go' } } as const
    const told = []
    for (const isSubmittedBySender of [true, false]) {
      const id = await world.register({ ...LISTENING, id: `p-${isSubmittedBySender}` })
      await registry.park(await world.start(id), [wait])
      const { isDue } = await registry.signal(id, 'go', by('ana'), { isSubmittedBySender })
      told.push([isDue, await registry.msUntilDue()])
    }
    expect(told).toEqual([
      [true, 2_000],
      [true, 0],
    ])
  })

  it('the next signal can be seen without taking it', async ({ registry, register, start }) => {
    const id = await register(LISTENING)
    expect(await registry.nextSignal(id, 'go')).toBeUndefined()
    for (const who of ['ana', 'ben']) await registry.signal(id, 'go', by(who))
    for (let time = 0; time < 2; time++)
      expect(await registry.nextSignal(id, 'go')).toMatchObject({ sequence: 1, payload: by('ana') })
    expect(await registry.nextSignal(id, 'stop')).toBeUndefined()
    const lease = await start(id)
    await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })
    expect(await registry.nextSignal(id, 'go')).toMatchObject({ payload: by('ben') })
  })

  it('a superseded attempt takes nothing: the next one does', async world => {
    const { registry, clock } = world
    const id = await world.register(LISTENING)
    await registry.signal(id, 'go', by('ana'))
    const stale = await world.start(id)
    clock.advance(TTL)
    const lease = await world.start(id, { worker: BEN })
    await unchanged(world, id, () =>
      refused(registry.consumeSignal(stale, waitEntry(stale, 1), { name: 'go' }), 'process_lease_lost'),
    )
    expect(await registry.journal(id)).toEqual([])
    expect(await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })).toMatchObject({
      type: 'resolved',
    })
  })

  it('what one attempt has taken, the next one reads', async world => {
    const { registry, clock } = world
    const id = await world.register(LISTENING)
    await registry.signal(id, 'go', by('ana'))
    const first = await world.start(id)
    const taken = await registry.consumeSignal(first, waitEntry(first, 1), { name: 'go' })
    clock.advance(TTL)
    const second = await world.start(id)
    expect(await registry.consumeSignal(second, waitEntry(second, 1), { name: 'go' })).toEqual(taken)
    expect(await registry.consumeSignal(second, waitEntry(second, 2), { name: 'go' })).toEqual({
      type: 'none',
    })
  })

  it('the host may signal a process that no session watches (§6 #72)', async ({ registry, ...world }) => {
    const id = await world.register(LISTENING)
    const wait = { key: 'w', sinceMs: 0, on: { type: 'signal', name: 'go' } } as const
    await registry.park(await world.start(id), [wait])
    expect((await registry.signal(id, 'go', by('host'))).isDue).toBe(true)
    const lease = await world.run(id)
    await registry.consumeSignal(lease, waitEntry(lease, 1), { name: 'go' })
    await registry.completeWithLease(lease, COMPLETED)
    expect(await world.record(id)).toMatchObject({ status: 'completed' })
  })
}
