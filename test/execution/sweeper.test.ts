import { expect, onTestFinished, test } from 'vitest'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { ProcessRunner } from '../../src/execution/runner.ts'
import type { ProcessRunHandle } from '../../src/execution/submit.ts'
import { LeaseholdError } from '../../src/index.ts'
import { sweepOnce } from '../../src/maintenance/sweep.ts'
import { Sweeper } from '../../src/maintenance/sweeper.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, type Stage, silent, work } from './stage.ts'

const REF = { backend: 'the test', id: 'run' }

/** Hands processes over by writing down that it did, as a backend does. */
function handing(stage: Stage, refuse: (id: string) => Error | undefined = () => undefined) {
  const submitted: string[] = []
  const handle: ProcessRunHandle = {
    claimAndRunPending: async () => {},
    submit: async submission => {
      const refusal = refuse(submission.id)
      if (refusal !== undefined) throw refusal
      submitted.push(submission.id)
      await stage.registry.recordSubmitted(submission.id, { ...submission, ref: REF })
    },
  }
  return { handle, submitted }
}

function addSweeper(stage: Stage, handle: ProcessRunHandle): Sweeper {
  const host = { registry: { description: 'the stage', open: async () => stage.registry } }
  const environment = createExecutionEnvironment(host, stage.registry, { logger: silent })
  const sweeper = new Sweeper(environment, new ProcessRunner(environment), handle)
  onTestFinished(() => sweeper.stop())
  return sweeper
}

function openSwept() {
  const clock = createManualClock(Date.now())
  const stage = openStage({ store: createMemoryStore({ clock: clock.now }), engines: work(() => 1) })
  const host = { registry: { description: 'the stage', open: async () => stage.registry } }
  const environment = createExecutionEnvironment(host, stage.registry, { logger: silent })
  const sweep = (handle: ProcessRunHandle) => sweepOnce(environment, new ProcessRunner(environment), handle)
  return { clock, stage, sweep }
}

test('a sweep submits the rows that are due, and no other', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle, submitted } = handing(stage)
  await stage.start({ id: 'early' })
  expect(await sweep(handle)).toEqual({ submitted: [], settled: [], failed: [] })
  clock.advance(2_001)
  await stage.start({ id: 'late' })
  expect(await sweep(handle)).toMatchObject({ submitted: ['early'] })
  expect(await sweep(handle)).toMatchObject({ submitted: [] })
  clock.advance(2_001)
  expect(await sweep(handle)).toMatchObject({ submitted: ['late'] })
  expect(submitted).toEqual(['early', 'late'])
})

test('a row that ended and was pruned while it was handed over is forgotten, and the pass goes on', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle, submitted } = handing(stage)
  for (const id of ['gone', 'refused', 'then']) await stage.start({ id })
  clock.advance(2_001)
  const pruning: ProcessRunHandle = {
    ...handle,
    submit: async submission => {
      if (submission.id === 'then') return handle.submit(submission)
      await stage.outcome(submission.id)
      await stage.registry.prune({ before: Number.MAX_SAFE_INTEGER })
      if (submission.id === 'refused') throw new LeaseholdError('workflow_id_taken', 'taken')
      await handle.submit(submission)
    },
  }
  const report = await sweep(pruning)
  expect(report.submitted.toSorted()).toEqual(['gone', 'then'])
  expect(report.failed).toEqual([{ id: 'refused', reason: 'taken' }])
  expect(submitted.toSorted()).toEqual(['gone', 'then'])
  expect(await sweep(handle)).toMatchObject({ submitted: [] })
})

test('a row that was submitted and not begun is submitted again, less and less often', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle, submitted } = handing(stage)
  await stage.start()
  clock.advance(2_001)
  await sweep(handle)
  for (const ms of [30_000, 60_000, 120_000]) {
    clock.advance(ms - 1)
    expect(await sweep(handle)).toMatchObject({ submitted: [] })
    clock.advance(1)
    expect((await sweep(handle)).submitted).toHaveLength(1)
  }
  expect(submitted).toHaveLength(4)
})

test('a failing row does not keep the others from being handled (§6 #181)', async () => {
  const { clock, stage, sweep } = openSwept()
  const taken = new LeaseholdError('workflow_id_taken', 'somebody else has this id')
  const { handle } = handing(stage, id => (id === 'b' ? taken : undefined))
  for (const id of ['a', 'b', 'c']) await stage.start({ id })
  clock.advance(2_001)
  expect(await sweep(handle)).toEqual({
    submitted: ['a', 'c'],
    settled: [],
    failed: [{ id: 'b', reason: 'somebody else has this id' }],
  })
})

test('a server that cannot be reached ends the pass, and every row stays due', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle } = handing(stage, () => new LeaseholdError('temporal_unreachable', 'nobody there'))
  for (let index = 0; index < 50; index++) await stage.start()
  clock.advance(2_001)
  // Those that were in hand when the first was refused, and no more.
  expect((await sweep(handle)).failed.length).toBeLessThanOrEqual(8)
  expect(await stage.registry.dueProcesses(100)).toHaveLength(50)
})

test('a row that somebody keeps locked does not keep the others from being handled (§6 #181)', async () => {
  const { clock, stage, sweep } = openSwept()
  const locked = new LeaseholdError('registry_locked', 'somebody else has this row')
  const { handle, submitted } = handing(stage, id => (id === 'a' ? locked : undefined))
  for (const id of ['a', 'b', 'c']) await stage.start({ id })
  clock.advance(2_001)
  expect((await sweep(handle)).failed).toMatchObject([{ id: 'a' }])
  expect(submitted).toEqual(['b', 'c'])
})

test('a row whose failure cannot even be written down does not end the pass (§6 #181)', async () => {
  const clock = createManualClock(Date.now())
  const store = createFaultyStore(createMemoryStore({ clock: clock.now }))
  const stage = openStage({ store, engines: work(() => 1) })
  for (const id of ['a', 'b']) await stage.start({ id })
  clock.advance(2_001)
  const environment = createExecutionEnvironment(
    { registry: { description: 'the stage', open: async () => stage.registry } },
    stage.registry,
    { logger: silent },
  )
  const taken: string[] = []
  const handle: ProcessRunHandle = {
    claimAndRunPending: async () => {},
    submit: async ({ id }) => {
      if (id === 'b') return void taken.push(id)
      store.failTransactions({ after: 0, count: 1 })
      throw new Error('not this one')
    },
  }
  const report = await sweepOnce(environment, new ProcessRunner(environment), handle)
  expect(report.failed).toEqual([{ id: 'a', reason: 'not this one' }])
  expect(taken).toEqual(['b'])
})

test('a row that cannot be handed over is tried less and less often (§6 #181)', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle } = handing(
    stage,
    () => new LeaseholdError('workflow_id_taken', 'somebody else has this id'),
  )
  await stage.start({ id: 'poison' })
  clock.advance(2_001)
  const waits: (number | undefined)[] = []
  for (let pass = 0; pass < 7; pass++) {
    expect((await sweep(handle)).failed).toHaveLength(1)
    const ms = await stage.registry.msUntilDue()
    waits.push(ms)
    clock.advance(ms ?? 0)
  }
  expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  expect(await stage.record('poison')).toMatchObject({ status: 'running' })
})

test('an external row is settled by the sweep itself, and never submitted (§6 #171, #172)', async () => {
  const { clock, stage, sweep } = openSwept()
  const { handle, submitted } = handing(stage)
  const left = await stage.start({ kind: 'external', input: {}, id: 'left' })
  const asked = await stage.start({ kind: 'external', input: {}, id: 'asked' })
  clock.advance(3_600_000)
  expect(await sweep(handle)).toMatchObject({ settled: [] })
  await stage.registry.requestAbandon(asked, { requestedBy: 'ana' })
  expect(await sweep(handle)).toMatchObject({ settled: ['asked'] })
  expect(await stage.record(asked)).toMatchObject({ status: 'abandoned' })
  expect(await stage.record(left)).toMatchObject({ status: 'running', attempts: 0 })
  expect(submitted).toEqual([])
})

test('of two sweepers one has the duty, and the other takes it when it stops', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const [first, second] = [handing(stage), handing(stage)]
  const leader = addSweeper(stage, first.handle)
  leader.start()
  await stage.start({ id: 'a' })
  await stage.registry.requestCancel('a')
  await eventually(() => first.submitted.length === 1)
  const follower = addSweeper(stage, second.handle)
  follower.start()
  await stage.start({ id: 'b' })
  await stage.registry.requestCancel('b')
  await eventually(() => first.submitted.length === 2)
  expect(second.submitted).toEqual([])
  await leader.stop()
  await stage.start({ id: 'c' })
  await stage.registry.requestCancel('c')
  await eventually(() => expect(second.submitted).toEqual(['c']))
})

test('a sweeper that vanished is replaced when its duty lapses', async () => {
  const clock = createManualClock(Date.now())
  const stage = openStage({ store: createMemoryStore({ clock: clock.now }), engines: work(() => 1) })
  const gone = stage.addWorker({
    worker: { ownerId: 'elsewhere', incarnationId: 'elsewhere', liveness: { kind: 'opaque' } },
  })
  await stage.registry.claimDuty('sweep', gone.identity, { ttlMs: 5_000 })
  await stage.start({ id: 'a' })
  clock.advance(2_001)
  const { handle, submitted } = handing(stage)
  addSweeper(stage, handle).start()
  const second = await stage.start({ id: 'b' })
  expect(submitted).toEqual([])
  clock.advance(3_000)
  await eventually(() => expect(submitted).toEqual(['a', second]))
})

test('a sweeper whose OS process is dead is replaced at once', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const { liveness } = stage.identity
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  const dead = { ownerId: 'dead', incarnationId: 'dead', liveness: { ...liveness, pid: 2 ** 22 + 1 } }
  await stage.registry.claimDuty('sweep', dead, { ttlMs: 3_600_000 })
  await stage.start({ id: 'a' })
  await stage.registry.requestCancel('a')
  const { handle, submitted } = handing(stage)
  addSweeper(stage, handle).start()
  await eventually(() => expect(submitted).toEqual(['a']))
})

test('a sweeper looks at once when a change makes a row due', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const { handle, submitted } = handing(stage)
  addSweeper(stage, handle).start()
  for (let i = 0; i < 10; i++) {
    const id = await stage.start()
    await stage.registry.requestCancel(id)
    await eventually(() => submitted.includes(id))
  }
  expect(submitted).toHaveLength(10)
})

test('a sweeper may be stopped twice, or before it starts', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const sweeper = addSweeper(stage, handing(stage).handle)
  await sweeper.stop()
  sweeper.start()
  sweeper.start()
  await Promise.all([sweeper.stop(), sweeper.stop()])
})
