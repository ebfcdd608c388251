import { expect, test, vi } from 'vitest'
import { defineTool, LeaseholdError, ProcessFailure } from '../../src/index.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import type { EnvironmentStore } from '../../src/runtime/environment.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, silent, supersede, work } from './stage.ts'

test('a function that returns is completed, one that throws is failed with its message (§6 #184)', async () => {
  const stage = openStage({
    engines: work(ctx => {
      if (ctx.input === 'throw') throw new Error('no such folder')
      return { found: 3 }
    }),
  })
  expect(await stage.outcome(await stage.start())).toEqual({ status: 'completed', value: { found: 3 } })
  expect(await stage.outcome(await stage.start({ input: 'throw' }))).toEqual({
    status: 'failed',
    class: 'execution',
    code: 'process_failed',
    message: 'no such folder',
  })
})

test('a ProcessFailure chooses its code and class', async () => {
  const stage = openStage({
    engines: work(() => {
      throw new ProcessFailure('quota_used_up', 'come back tomorrow', { class: 'resource_limit' })
    }),
  })
  expect(await stage.outcome(await stage.start())).toMatchObject({
    code: 'quota_used_up',
    class: 'resource_limit',
  })
})

test('a return value that JSON cannot carry is process_output_invalid', async () => {
  const stage = openStage({ engines: work(() => ({ deep: [new Map()] })) })
  expect(await stage.outcome(await stage.start())).toMatchObject({ code: 'process_output_invalid' })
})

test('a return value that is too large to store is a failure, not an attempt repeated for ever', async () => {
  const stage = openStage({ engines: work(() => 'x'.repeat(17 * 1024 * 1024)) })
  const id = await stage.start()
  await stage.runner.run(id)
  expect((await stage.record(id)).outcome).toMatchObject({ status: 'failed', code: 'process_output_invalid' })
})

test('a failure that is too large to store keeps its code and the beginning of its message', async () => {
  const stage = openStage({
    engines: work(() => {
      throw new ProcessFailure('parse_error', `at ${'😀'.repeat(9 * 1024 * 1024)}`)
    }),
  })
  const id = await stage.start()
  await stage.runner.run(id)
  expect((await stage.record(id)).outcome).toMatchObject({
    status: 'failed',
    code: 'parse_error',
    message: expect.stringMatching(/^at 😀.*shortened/su),
  })
})

test('an ended process is not run again (§6 #179)', async () => {
  let runs = 0
  const stage = openStage({ engines: work(() => ++runs) })
  const id = await stage.start()
  await stage.outcome(id)
  expect(await stage.runner.run(id)).toEqual({ type: 'done', status: 'completed' })
  expect(runs).toBe(1)
})

test('an id that was never registered is unknown, and an external process is nobody’s to run (§6 #152)', async () => {
  const stage = openStage({})
  expect(await stage.runner.run('nobody')).toEqual({ type: 'unknown' })
  const id = await stage.start({ kind: 'external', input: {} })
  expect(await stage.runner.run(id)).toEqual({ type: 'external' })
  expect((await stage.record(id)).firstStarted).toBeUndefined()
})

test('an external process with a request to abandon it is settled without a body (§6 #172)', async () => {
  const stage = openStage({})
  const id = await stage.start({ kind: 'external', input: {} })
  await stage.registry.requestAbandon(id, { requestedBy: 'ana' })
  expect(await stage.outcome(id)).toEqual({
    status: 'abandoned',
    evidence: { writer: 'reconciled_request', epochMs: expect.any(Number) },
  })
})

test('a process that runs is busy to everybody else, and is not run beside itself (§6 #182)', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(() => gate.pass()) })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  expect(stage.runner.runningIds).toEqual([id])
  expect(await stage.runner.run(id)).toMatchObject({ type: 'busy' })
  expect(await stage.addWorker().runner.run(id)).toMatchObject({ type: 'busy' })
  gate.open()
  expect(await running).toEqual({ type: 'done', status: 'completed' })
  expect(gate.arrivals).toBe(1)
  expect(stage.runner.runningIds).toEqual([])
})

test('a cancel recorded before the first attempt ends the process without its body (§6 #194)', async () => {
  let runs = 0
  const stage = openStage({ engines: work(() => ++runs) })
  const id = await stage.start()
  await stage.registry.requestCancel(id, 'never mind')
  expect(await stage.outcome(id)).toEqual({ status: 'cancelled', message: 'never mind' })
  expect(runs).toBe(0)
})

test('after a cancel whatever the code throws is cancelled, and what it said is kept', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await gate.pass(ctx.signal).catch(() => {
        throw new Error('while closing the file')
      })
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.requestCancel(id, 'stop')
  await running
  expect((await stage.record(id)).outcome).toEqual({
    status: 'cancelled',
    message: 'stop',
    raw: { error: 'while closing the file' },
  })
})

test('after a cancel a value that the code returns is completed (§6 #197)', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(ctx => gate.pass(ctx.signal).catch(() => 'saved what I had')) })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.requestCancel(id)
  await running
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: 'saved what I had' })
})

test('a cancelled process may still take steps on its way out', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(async ctx => {
      await gate.pass(ctx.signal).catch(() => {})
      return ctx.step('clean up', () => 'cleaned')
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await stage.registry.requestCancel(id)
  await running
  expect((await stage.record(id)).outcome).toMatchObject({ value: 'cleaned' })
})

test('a lost lease fires the signal, writes nothing, and leaves the new holder alone (§6 #186)', async () => {
  const gate = createGate()
  const reasons: LeaseholdError[] = []
  const stage = openStage({
    engines: work(async ctx => {
      if (ctx.attempt > 1) return gate.pass()
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      await gate.pass()
      await ctx.step('never written', () => 1)
      return 'never written'
    }),
  })
  const id = await stage.start()
  const first = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await supersede(stage, stage)
  const second = stage.addWorker().runner.run(id)
  expect(await first).toMatchObject({ type: 'lost' })
  expect(reasons).toMatchObject([{ code: 'process_lease_lost' }])
  const lease = await stage.registry.getLease(id)
  expect(lease).toMatchObject({ fencingToken: 2 })
  gate.open()
  expect(await second).toEqual({ type: 'done', status: 'completed' })
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: null })
  expect(await stage.registry.journal(id)).toEqual([])
})

test('a superseded attempt that returns before it has heard of it writes nothing (§6 #80)', async () => {
  const gate = createGate()
  const stage = openStage({
    leaseTimings: { ttlMs: 60_000, renewIntervalMs: 20_000 },
    engines: work(async ctx => {
      if (ctx.attempt === 1) await gate.pass()
      return `attempt ${ctx.attempt}`
    }),
  })
  const id = await stage.start()
  const first = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  await supersede(stage, stage)
  expect(await stage.addWorker().runner.run(id)).toEqual({ type: 'done', status: 'completed' })
  gate.open()
  expect(await first).toMatchObject({ type: 'lost' })
  expect((await stage.record(id)).outcome).toMatchObject({ value: 'attempt 2' })
  expect(await stage.events(id, 'process.completed')).toHaveLength(1)
})

test('a lease that lapsed unsuperseded is taken again, and the attempt completes under the next fence (§6 #82)', async () => {
  const clock = createManualClock()
  const gate = createGate()
  const stage = openStage({
    store: createMemoryStore({ clock: clock.now }),
    leaseTimings: { ttlMs: 60_000, renewIntervalMs: 20_000 },
    engines: work(async ctx => {
      await gate.pass()
      return ctx.step('after the lapse', () => ctx.attempt)
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  clock.advance(120_000)
  gate.open()
  expect(await running).toEqual({ type: 'done', status: 'completed' })
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: 1 })
  expect(await stage.registry.journal(id)).toMatchObject([{ fence: 2 }])
  expect(await stage.record(id)).toMatchObject({ attempts: 1 })
})

test('an owner-bound body is entered once: superseded, it is abandoned, not run again (§6 #173)', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(() => gate.pass(), 'owner_bound') })
  const id = await stage.start()
  const first = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  const owner = (await stage.registry.getLease(id))?.owner
  await supersede(stage, stage)
  expect(await stage.addWorker().runner.run(id)).toEqual({ type: 'done', status: 'abandoned' })
  gate.open()
  expect(await first).toMatchObject({ type: 'lost' })
  expect((await stage.record(id)).outcome).toMatchObject({ evidence: { writer: 'sweep', owner } })
  expect(gate.arrivals).toBe(1)
})

test('an owner-bound process whose lease lapsed is silent to others, and its owner may still end it (§6 #174)', async () => {
  const clock = createManualClock()
  const gate = createGate()
  const stage = openStage({
    store: createMemoryStore({ clock: clock.now }),
    leaseTimings: { ttlMs: 60_000, renewIntervalMs: 20_000 },
    engines: work(() => gate.pass(), 'owner_bound'),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await eventually(() => gate.arrivals === 1)
  clock.advance(3_600_000)
  const other = stage.addWorker().runner
  expect(await other.run(id)).toEqual({ type: 'silent' })
  expect(await other.run(id)).toEqual({ type: 'silent' })
  expect(await stage.events(id, 'process.owner_silent')).toHaveLength(1)
  gate.open()
  expect(await running).toEqual({ type: 'done', status: 'completed' })
  expect(await stage.events(id, 'process.owner_back')).toHaveLength(1)
})

test('a shut-down rerunnable attempt gives its lease back and uses up no attempt (§6 #232)', async () => {
  const gate = createGate()
  const reasons: LeaseholdError[] = []
  const stage = openStage({
    engines: work(async ctx => {
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      await gate.pass(ctx.signal)
      return ctx.attempt
    }),
  })
  const id = await stage.start({ maxAttempts: 1 })
  const shutdown = new AbortController()
  const running = stage.runner.run(id, { shutdown: shutdown.signal })
  await eventually(() => gate.arrivals === 1)
  shutdown.abort()
  expect(await running).toEqual({ type: 'released' })
  expect(reasons).toMatchObject([{ code: 'worker_shutdown' }])
  expect(await stage.registry.getLease(id)).toBeUndefined()
  expect((await stage.registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual([id])
  gate.open()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 2 })
})

test('a shut-down owner-bound attempt ends as abandoned(owner_drain) under its own lease (§6 #189)', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(ctx => gate.pass(ctx.signal), 'owner_bound') })
  const id = await stage.start()
  const shutdown = new AbortController()
  const running = stage.runner.run(id, { shutdown: shutdown.signal })
  await eventually(() => gate.arrivals === 1)
  shutdown.abort()
  expect(await running).toEqual({ type: 'done', status: 'abandoned' })
  expect((await stage.record(id)).outcome).toMatchObject({
    evidence: { writer: 'owner_drain', owner: { incarnationId: stage.identity.incarnationId } },
  })
})

test('code that ends in spite of the shutdown has its outcome', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: work(ctx => gate.pass(ctx.signal).catch(() => 'just in time'), 'owner_bound'),
  })
  const id = await stage.start()
  const shutdown = new AbortController()
  const running = stage.runner.run(id, { shutdown: shutdown.signal })
  await eventually(() => gate.arrivals === 1)
  shutdown.abort()
  expect(await running).toEqual({ type: 'done', status: 'completed' })
})

test('a store that fails while an attempt begins leaves the process as it was, and a later try succeeds (§6 #185)', async () => {
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => ctx.attempt) })
  const id = await stage.start()
  store.failTransactions({ after: 0, count: 1 })
  await expect(stage.runner.run(id)).rejects.toMatchObject({ code: 'registry_locked' })
  expect(await stage.record(id)).toMatchObject({ status: 'running', attempts: 0 })
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 1 })
})

test.each([
  ['as the body is entered', 1],
  ['at the first step', 2],
  ['at the second step', 3],
  ['at the end', 4],
])('a store that fails %s ends the attempt, not the process (§6 #185)', async (_, after) => {
  const store = createFaultyStore()
  let caught: unknown
  const stage = openStage({
    store,
    engines: work(async ctx => {
      for (const name of ['one', 'two']) {
        await ctx
          .step(name, () => name)
          .catch(error => {
            caught = error
          })
      }
      return 'done'
    }),
  })
  const id = await stage.start()
  store.failTransactions({ after, count: 1 })
  expect(await stage.runner.run(id)).toMatchObject({
    type: 'store_failed',
    error: { code: 'registry_locked' },
  })
  expect(await stage.record(id)).toMatchObject({ status: 'running', attempts: 1 })
  expect(await stage.registry.getLease(id)).toBeUndefined()
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 'done' })
  // The code must not take a storage problem for its step's failure.
  expect(caught).toBeUndefined()
})

test('a store that goes on failing leaves the lease to lapse, and the process to a later attempt', async () => {
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => ctx.step('one', () => ctx.attempt)) })
  const id = await stage.start()
  store.failTransactions({ after: 2, count: 2 })
  expect(await stage.runner.run(id)).toMatchObject({ type: 'store_failed' })
  expect(await stage.registry.getLease(id)).toBeDefined()
  await eventually(async () => (await stage.runner.run(id)).type === 'done')
  expect((await stage.record(id)).outcome).toEqual({ status: 'completed', value: 2 })
})

test('a store that cannot say who held the process last leaves it as it was', async () => {
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => ctx.attempt) })
  const id = await stage.start()
  // The change feed's look is the first: the attempt listens before it begins.
  store.failReads({ after: 1, count: 1 })
  await expect(stage.runner.run(id)).rejects.toMatchObject({ code: 'registry_locked' })
  expect(await stage.record(id)).toMatchObject({ attempts: 0 })
})

test.each([
  ['as the environment is loaded', 'registry_locked'],
  ['for another reason than a passing one', 'registry_corrupt'],
] as const)('a store that fails %s does not end the process (§6 #185)', async (_, code) => {
  const kept = new Map<string, Uint8Array>()
  let fails = 1
  const environments: EnvironmentStore = {
    put: async (ref, bytes) => void kept.set(ref, bytes),
    get: async ref => {
      if (fails-- > 0) throw new LeaseholdError(code, 'The store cannot be used now.')
      return kept.get(ref)
    },
  }
  const stage = openStage({ engines: work(ctx => ctx.attempt), host: { stores: { environments } } })
  const id = await stage.start()
  expect(await stage.runner.run(id)).toMatchObject({ type: 'store_failed', error: { code } })
  expect(await stage.record(id)).toMatchObject({ status: 'running' })
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 2 })
})

test('a store that fails as a later attempt reads its journal does not end the process (§6 #185)', async () => {
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => ctx.attempt) })
  const id = await stage.start()
  await stage.registry.beginAttempt(id, { worker: stage.identity, attempt: 'left', ttlMs: 1 })
  const error = new LeaseholdError('registry_unavailable', 'The store cannot be used now.')
  vi.spyOn(stage.registry, 'journal').mockRejectedValueOnce(error)
  await eventually(async () => (await stage.runner.run(id)).type === 'store_failed')
  expect(await stage.record(id)).toMatchObject({ status: 'running' })
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 3 })
})

test('a look for a cancel that fails is a warning, and the process runs on (§6 #195)', async () => {
  const store = createFaultyStore()
  const warnings: string[] = []
  const [entered, warned] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const stage = openStage({
    store,
    logger: {
      ...silent,
      warn: message => {
        warnings.push(message)
        warned.resolve()
      },
    },
    engines: work(async ctx => {
      entered.resolve()
      await warned.promise
      return ctx.attempt
    }),
  })
  const id = await stage.start()
  const running = stage.runner.run(id)
  await entered.promise
  // Its own look, or the change feed's first.
  store.failReads({ after: 0, count: 2 })
  await stage.registry.requestCancel(id)
  expect(await running).toEqual({ type: 'done', status: 'completed' })
  expect(warnings[0]).toContain('cancel')
})

test('an engine that the host does not have is process_engine_missing (§6 #167)', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await stage.start()
  const other = openStage({ engines: {} })
  const moved = await other.registry.register({
    id,
    input: { type: 'engine', kind: 'work', payload: null },
    disposition: 'rerunnable',
    provenance: { originator: { type: 'host' } },
    envRef: (await stage.record(id)).envRef ?? '',
  })
  await other.registry.putEnv(
    moved.record.envRef ?? '',
    (await stage.registry.getEnv(moved.record.envRef ?? '')) ?? new Uint8Array(),
  )
  expect(await other.outcome(id)).toMatchObject({ status: 'failed', code: 'process_engine_missing' })
})

test.each([
  ['missing', undefined, 'process_env_not_found'],
  ['corrupt', new TextEncoder().encode('{"policy":{}}'), 'process_env_corrupt'],
])('a %s environment is process_recovery_failed, and says which it is (§6 #164)', async (_, bytes, code) => {
  const stage = openStage({ engines: work(() => 1) })
  const envRef = `process-env:sha256:${'0'.repeat(64)}`
  if (bytes !== undefined) await stage.registry.putEnv(envRef, bytes)
  const { record } = await stage.registry.register({
    id: 'p',
    input: { type: 'engine', kind: 'work', payload: null },
    disposition: 'rerunnable',
    provenance: { originator: { type: 'host' } },
    envRef,
  })
  expect(await stage.outcome(record.id)).toMatchObject({
    status: 'failed',
    code: 'process_recovery_failed',
    raw: { code },
  })
})

test('a process whose attempts are used up is abandoned(engine_gave_up) (§6 #188)', async () => {
  let runs = 0
  const gate = createGate()
  const stage = openStage({
    engines: work(() => {
      runs++
      return gate.pass()
    }),
  })
  const id = await stage.start({ maxAttempts: 2 })
  for (const _ of [1, 2]) {
    const worker = stage.addWorker()
    const running = worker.runner.run(id)
    await eventually(async () => (await stage.registry.getLease(id)) !== undefined && gate.arrivals === runs)
    await eventually(() =>
      stage.registry.getLease(id).then(lease => lease?.owner.ownerId.startsWith(worker.identity.ownerId)),
    )
    await supersede(stage, worker)
    await running
  }
  expect(await stage.outcome(id)).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'engine_gave_up' },
  })
  expect(runs).toBe(2)
})

test('a busy answer and a park use up no attempt (§6 #231)', async () => {
  const stage = openStage({
    engines: work(async ctx => {
      await ctx.sleep(100)
      return ctx.attempt
    }),
  })
  const id = await stage.start({ maxAttempts: 1 })
  const first = stage.runner.run(id)
  await eventually(async () => (await stage.registry.getLease(id)) !== undefined)
  expect(await stage.addWorker().runner.run(id)).toMatchObject({ type: 'busy' })
  await first
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 2 })
})

test('a tool call is one step, which gets the process’s signal and ids', async () => {
  const seen: unknown[] = []
  const stage = openStage({
    tools: {
      add: defineTool(
        {
          execute: ({ a, b }: { a: number; b: number }, { abortSignal, ...ids }) => {
            seen.push({ ...ids, isAborted: abortSignal.aborted })
            return a + b
          },
        },
        { disposition: 'rerunnable' },
      ),
    },
  })
  const id = await stage.start({ kind: 'tool_call', input: { tool: 'add', args: { a: 1, b: 2 } } })
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 3 })
  expect(await stage.registry.journal(id)).toMatchObject([{ address: `add[${id}]`, effect: 'repeatable' }])
  expect(seen).toMatchObject([{ processId: id, toolCallId: id, messages: [], isAborted: false }])
})

test('a tool that throws is a failed process, and an owner-bound call is a once step', async () => {
  const stage = openStage({
    tools: {
      pay: {
        execute: () => {
          throw new Error('declined')
        },
      },
    },
  })
  const input = { tool: 'pay', args: {} }
  const rerunnable = await stage.start({ kind: 'tool_call', disposition: 'rerunnable', input })
  expect(await stage.outcome(rerunnable)).toMatchObject({
    code: 'process_tool_failed',
    message: 'Tool "pay" failed: declined',
  })
  const bound = await stage.start({ kind: 'tool_call', disposition: 'owner_bound', input })
  expect(await stage.outcome(bound)).toMatchObject({ status: 'failed', code: 'step_unknown' })
})
