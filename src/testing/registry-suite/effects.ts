import { expect } from 'vitest'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import type { WaitState } from '../../model/wait.ts'
import { ANA, COMPLETED, TTL, timer } from './fixtures.ts'
import { type Case, refused, unchanged, type World } from './harness.ts'

const STEP = 'charge#1'

/** A once step that the lease's attempt has claimed, and may begin until its lease has lapsed. */
const claim = (lease: ProcessLease, patch: Partial<JournalEntry> = {}): JournalEntry => ({
  processId: lease.processId,
  epoch: 0,
  position: 1,
  address: STEP,
  kind: 'step',
  effect: 'once',
  digest: 'digest',
  status: 'claimed',
  operationId: 'op_1',
  attempt: lease.owner.incarnationId,
  fence: lease.fencingToken,
  claimedBy: ANA,
  startByMs: lease.expiresAtMs,
  startedAtMs: lease.claimedAtMs,
  ...patch,
})

const waiting = (step = STEP): WaitState => ({
  key: `process:p:wait:0:${step}`,
  sinceMs: 1,
  on: { type: 'unknown_step', step },
})

const BY = { by: 'ben' }
const RECEIPT = { value: { receipt: 7 } }

/** A process whose claimed step nobody can begin any more. */
async function interrupted({ registry, clock, register, start }: World, patch: Partial<JournalEntry> = {}) {
  const id = await register()
  const lease = await start(id)
  await registry.saveJournalEntry(lease, claim(lease, patch))
  clock.advance(TTL)
  return { id, lease }
}

/** One that waits for a word on the step. */
async function asking(world: World) {
  const { id } = await interrupted(world)
  const lease = await world.start(id)
  expect(await world.registry.park(lease, [waiting()])).toEqual({ type: 'parked' })
  return id
}

export function effectCases(it: Case): void {
  it('a process without once steps has none', async ({ registry, register, start }) => {
    const id = await register()
    const lease = await start(id)
    await registry.saveJournalEntry(lease, claim(lease, { effect: 'repeatable', status: 'done' }))
    expect(await registry.effects(id)).toEqual([])
  })

  it('each once step is told with its operation id, in order, of all epochs', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    const done = { address: 'pay#1', position: 2, operationId: 'op_2', status: 'done', value: 1 } as const
    await registry.saveJournalEntry(lease, claim(lease, done))
    await registry.saveJournalEntry(lease, claim(lease, { status: 'failed' }))
    await registry.startEpoch(lease, { epoch: 1, state: null })
    await registry.saveJournalEntry(lease, claim(lease, { epoch: 1 }))
    const told = async () =>
      (await registry.effects(id)).map(({ epoch, step, operationId, state }) => [
        epoch,
        step,
        operationId,
        state,
      ])
    const before = [
      [0, STEP, 'op_1', 'not_done'],
      [0, 'pay#1', 'op_2', 'done'],
    ]
    expect(await told()).toEqual([...before, [1, STEP, 'op_1', 'running']])
    clock.advance(TTL)
    expect(await told()).toEqual([...before, [1, STEP, 'op_1', 'unknown']])
  })

  it('what somebody says became of it is journaled, told of and in the log', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    const atMs = world.clock.now()
    const resolved = await registry.resolveStep(id, STEP, RECEIPT, BY)
    const resolution = { kind: 'by_hand', by: 'ben', answer: 'done', atMs }
    expect(resolved).toMatchObject({ type: 'resolved', effect: { step: STEP, state: 'done', resolution } })
    expect(await registry.effects(id)).toEqual([resolved.effect])
    expect(await registry.journalEntry(id, STEP)).toMatchObject({ status: 'done', ...RECEIPT, resolution })
    expect((await registry.recentEvents(id)).at(-1)).toMatchObject({
      eventType: 'process.step_resolved',
      payload: { step: STEP, epoch: 0, operationId: 'op_1', answer: 'done', by: 'ben' },
    })
  })

  it('the same word again changes nothing, another one conflicts, and the first stays', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    await registry.resolveStep(id, STEP, 'not_done', BY)
    await unchanged(world, id, async () => {
      expect(await registry.resolveStep(id, STEP, 'not_done', { by: 'ana' })).toMatchObject({
        type: 'replayed',
        effect: { state: 'not_done', resolution: { by: 'ben' } },
      })
      await refused(registry.resolveStep(id, STEP, RECEIPT, BY), 'step_resolution_conflict')
    })
  })

  it('of two who say different things at once, one is heard', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    const answers = await Promise.allSettled([
      registry.resolveStep(id, STEP, RECEIPT, BY),
      registry.resolveStep(id, STEP, 'not_done', BY),
    ])
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const words = (await world.eventTypes(id)).filter(type => type === 'process.step_resolved')
    expect(words).toHaveLength(1)
  })

  it('nothing is said of a step that is in hand, or that its claimer may still begin', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.saveJournalEntry(lease, claim(lease))
    await unchanged(world, id, () => refused(registry.resolveStep(id, STEP, RECEIPT, BY), 'step_in_flight'))
    await registry.release(lease)
    clock.advance(TTL - 1)
    await refused(registry.resolveStep(id, STEP, 'not_done', BY), 'step_in_flight')
    clock.advance(1)
    expect(await registry.resolveStep(id, STEP, 'not_done', BY)).toMatchObject({ type: 'resolved' })
  })

  it('a claimer that is proven dead begins nothing any more', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.saveJournalEntry(lease, claim(lease))
    await refused(registry.resolveStep(id, STEP, RECEIPT, { ...BY, deadWorker: 'another' }), 'step_in_flight')
    await registry.proveWorkerDead(ANA)
    expect(await registry.resolveStep(id, STEP, RECEIPT, BY)).toMatchObject({ type: 'resolved' })
  })

  it('the operating system’s word on the claimer counts before its lease has lapsed', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.saveJournalEntry(lease, claim(lease))
    const dead = { ...BY, deadWorker: ANA.incarnationId }
    expect(await registry.resolveStep(id, STEP, RECEIPT, dead)).toMatchObject({ type: 'resolved' })
  })

  it('a claimer that comes back does not write over what was said', async world => {
    const { registry } = world
    const { id, lease } = await interrupted(world)
    await registry.resolveStep(id, STEP, RECEIPT, BY)
    const back = await registry.reacquire(lease, TTL)
    const again = claim(back, { startByMs: back.expiresAtMs })
    await refused(registry.saveJournalEntry(back, again), 'step_final')
    await refused(registry.saveJournalEntry(back, { ...again, status: 'unknown' }), 'step_final')
    expect(await registry.journalEntry(id, STEP)).toMatchObject({ status: 'done', ...RECEIPT })
  })

  it('a step that was not done may be claimed again, and nothing else', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    await registry.resolveStep(id, STEP, 'not_done', BY)
    const next = await world.start(id)
    await refused(registry.saveJournalEntry(next, claim(next, { status: 'unknown' })), 'step_final')
    await registry.saveJournalEntry(next, claim(next))
    await registry.saveJournalEntry(next, claim(next, { status: 'done', value: 1 }))
    expect(await registry.effects(id)).toMatchObject([{ state: 'done' }])
  })

  it('what is journaled for good is not written again, but for the very same', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    const done = claim(lease, { status: 'done', value: 1 })
    await registry.saveJournalEntry(lease, done)
    await registry.saveJournalEntry(lease, done)
    await refused(registry.saveJournalEntry(lease, { ...done, value: 2 }), 'step_final')
    await refused(registry.saveJournalEntry(lease, claim(lease)), 'step_final')
  })

  it('a process that waits for the word is due with it', async world => {
    const { registry } = world
    const id = await asking(world)
    expect(await world.due()).toEqual([])
    expect(await registry.resolveStep(id, STEP, RECEIPT, BY)).toMatchObject({ isDue: true })
    expect(await world.due()).toEqual([id])
    expect(await world.begin(id)).toMatchObject({ type: 'run', process: { record: { waits: [] } } })
  })

  it('one that waits for a word on another step, or for a time, is not', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    const lease = await world.start(id)
    await registry.park(lease, [waiting('other#1'), timer('nap', 1)])
    expect(await registry.resolveStep(id, STEP, RECEIPT, BY)).toMatchObject({ isDue: false })
    expect(await world.due()).toEqual([])
    expect(await world.begin(id)).toEqual({ type: 'parked' })
  })

  it('one that comes to wait after the word was said does not park', async world => {
    const { registry } = world
    const { id } = await interrupted(world)
    const lease = await world.start(id)
    await registry.resolveStep(id, STEP, RECEIPT, BY)
    expect(await registry.park(lease, [waiting()])).toEqual({ type: 'due' })
  })

  it('code that was told of the unknown outcome is told so again; the ledger knows better', async world => {
    const { registry } = world
    const { id } = await interrupted(world, { status: 'unknown', isTold: true })
    await registry.resolveStep(id, STEP, RECEIPT, BY)
    expect(await registry.journalEntry(id, STEP)).toMatchObject({ status: 'unknown', isTold: true })
    expect(await registry.effects(id)).toMatchObject([{ state: 'done', resolution: { by: 'ben' } }])
    expect(await registry.resolveStep(id, STEP, RECEIPT, BY)).toMatchObject({ type: 'replayed' })
    await refused(registry.resolveStep(id, STEP, 'not_done', BY), 'step_resolution_conflict')
  })

  it('a step of an ended process or of an epoch before is resolved for the ledger', async world => {
    const { registry } = world
    const id = await world.register()
    const lease = await world.start(id)
    await registry.saveJournalEntry(lease, claim(lease, { status: 'unknown', isTold: true }))
    await registry.startEpoch(lease, { epoch: 1, state: null })
    await registry.completeWithLease(lease, COMPLETED)
    await refused(registry.resolveStep(id, STEP, RECEIPT, BY), 'step_not_found')
    const resolved = await registry.resolveStep(id, STEP, RECEIPT, { ...BY, epoch: 0 })
    expect(resolved).toMatchObject({ type: 'resolved', isDue: false, effect: { epoch: 0, state: 'done' } })
    expect(await world.record(id)).toMatchObject({ status: 'completed', outcome: COMPLETED })
    expect(await world.due()).toEqual([])
  })

  it('a step that is not there, or may be repeated, and a blank name are refused', async world => {
    const { registry } = world
    const { id } = await interrupted(world, { effect: 'repeatable' })
    await unchanged(world, id, async () => {
      await refused(registry.resolveStep(id, STEP, RECEIPT, BY), 'step_not_found')
      await refused(registry.resolveStep(id, 'charge#2', RECEIPT, BY), 'step_not_found')
      await refused(registry.resolveStep(id, STEP, RECEIPT, { by: ' ' }), 'usage')
      const large = { value: 'x'.repeat(MAX_PAYLOAD_BYTES) }
      await refused(registry.resolveStep(id, STEP, large, BY), 'payload_too_large')
    })
  })
}
