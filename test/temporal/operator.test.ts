/** What an operator may do to a process's workflow with Temporal's own CLI, and what becomes of the process. */
import { expect, test } from 'vitest'
import { type Disposition, defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { operate } from '../support/temporal-cli.ts'
import { openWorld, type TemporalWorld } from '../support/temporal-world.ts'

const RUNNABLE = ['rerunnable', 'owner_bound'] as const satisfies readonly Disposition[]
const SHORT = { ttlMs: 900, renewIntervalMs: 300 }

/** Its code waits at the gate, and says which attempt it is. */
function held(disposition: (typeof RUNNABLE)[number] = 'rerunnable') {
  const gate = createGate()
  const engine = defineEngine({
    disposition,
    async run(ctx) {
      await gate.pass(ctx.signal)
      return ctx.step('last', () => ctx.attempt)
    },
  })
  return { gate, engines: { held: engine } }
}

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

type World = Pick<TemporalWorld<never, never>, 'registry' | 'workflow'>

const isParked = async ({ registry }: World, id: string) =>
  expect((await registry.requireRecord(id)).waits).toHaveLength(1)

/** Its activity's state as the server sees it. */
const activityOf = async ({ workflow }: World, id: string) =>
  (await workflow(id).describe()).raw.pendingActivities?.[0]

/** Its lease is renewed for longer than it lives, so that a heartbeat has told the worker what the server thinks. */
async function staysHeld({ registry }: World, id: string): Promise<void> {
  const expiry = async () => (await registry.getLease(id))?.expiresAtMs ?? 0
  const before = await expiry()
  await eventually(async () => (await expiry()) > before + SHORT.ttlMs)
}

test.each(RUNNABLE)(
  'a %s attempt whose workflow an operator terminates finishes under its lease (H4, §6 #217, #218)',
  async disposition => {
    const { gate, engines } = held(disposition)
    await using world = await openWorld({ engines, leaseTimings: SHORT })
    await world.startWorker()
    const handle = await world.processes.start({ kind: 'held' })
    await eventually(() => gate.arrivals === 1)
    await operate(['workflow', 'terminate', '--workflow-id', handle.id, '--reason', 'by an operator'])
    await staysHeld(world, handle.id)
    gate.open()
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
    expect(gate.arrivals).toBe(1)
  },
)

test('a parked process whose workflow an operator terminates is submitted again at its deadline (H4, §6 #216, #217)', async () => {
  const napper = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      // Long enough for the operator to be before its end: what comes to a run just before that ends costs half a minute.
      await ctx.sleep(5_000)
      return ctx.attempt
    },
  })
  await using world = await openWorld({ engines: { napper } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'napper' })
  await eventually(() => isParked(world, handle.id))
  const before = await handle.describe()
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 2 })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  // The second run is no conflict: the reference names the process, not a run of it.
  expect((await handle.describe()).externalRef).toEqual(before.externalRef)
})

test('a signal to a process whose parked workflow was terminated is in the log, and starts it again (H14)', async () => {
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(() => isParked(world, handle.id))
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  await handle.signal('go', 'all the same')
  expect(await handle.outcome()).toEqual({ status: 'completed', value: ['all the same', 2] })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test('an attempt whose workflow had a time-out of an operator’s finishes under its lease (H5)', async () => {
  const { gate, engines } = held()
  await using world = await openWorld({ engines, leaseTimings: SHORT })
  const handle = await world.processes.start({ kind: 'held' })
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  const input = { registryId: world.registry.registryId, processId: handle.id, heartbeatTimeoutMs: 900 }
  const own = ['--workflow-id', handle.id, '--type', 'process', '--input', JSON.stringify(input)]
  const queue = ['--task-queue', `leasehold-${world.registry.registryId}`]
  await operate(['workflow', 'start', ...own, ...queue, '--run-timeout', '8s'])
  await world.startWorker()
  await eventually(() => gate.arrivals === 1)
  await eventually(async () => {
    const { status } = await world.workflow(handle.id).describe()
    expect(status.name).toBe('TIMED_OUT')
  })
  await staysHeld(world, handle.id)
  gate.open()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
})

test('an attempt whose activity an operator pauses goes on, and its workflow ends with it', async () => {
  const { gate, engines } = held()
  await using world = await openWorld({ engines, leaseTimings: SHORT })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  const { activityId } = (await activityOf(world, handle.id)) ?? {}
  await operate(['activity', 'pause', '--workflow-id', handle.id, '--activity-id', `${activityId}`])
  await staysHeld(world, handle.id)
  expect(await activityOf(world, handle.id)).toMatchObject({ paused: true })
  gate.open()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test('an attempt whose activity an operator resets goes on, and is not run beside itself', async () => {
  const { gate, engines } = held()
  await using world = await openWorld({ engines, leaseTimings: SHORT })
  await Promise.all([world.startWorker(), world.startWorker()])
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  const { activityId } = (await activityOf(world, handle.id)) ?? {}
  await operate(['activity', 'reset', '--workflow-id', handle.id, '--activity-id', `${activityId}`])
  await staysHeld(world, handle.id)
  gate.open()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(gate.arrivals).toBe(1)
})

async function reset(world: World, id: string): Promise<string> {
  const { runId } = await world.workflow(id).describe()
  const { events } = await world.workflow(id).fetchHistory()
  const firstTask = events?.find(event => event.workflowTaskCompletedEventAttributes != null)
  const point = ['--event-id', `${firstTask?.eventId}`]
  await operate([
    'workflow',
    'reset',
    ...['--workflow-id', id, '--run-id', runId, ...point, '--reason', 'by an operator'],
  ])
  await eventually(async () => expect((await world.workflow(id).describe()).runId).not.toBe(runId))
  return runId
}

test('a workflow that an operator resets finds its ended process and returns its outcome (H15)', async () => {
  const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })
  await using world = await openWorld({ engines: { quick } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'quick' })
  await handle.outcome()
  await world.workflow(handle.id).result()
  await reset(world, handle.id)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(await handle.describe()).toMatchObject({ attempts: 1 })
})

test('a workflow that an operator resets while its process runs waits for that attempt, and makes no second (H15, §6 #231)', async () => {
  const { gate, engines } = held()
  await using world = await openWorld({ engines, leaseTimings: SHORT })
  await Promise.all([world.startWorker(), world.startWorker()])
  const handle = await world.processes.start({ kind: 'held', maxAttempts: 1 })
  await eventually(() => gate.arrivals === 1)
  await reset(world, handle.id)
  await eventually(async () => {
    const failure = (await activityOf(world, handle.id))?.lastFailure?.applicationFailureInfo
    expect(failure?.type).toBe('process_lease_busy')
  })
  gate.open()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(gate.arrivals).toBe(1)
})

test.each(['cancel', 'terminate'])(
  'a parked process meets an operator’s %s (H4, H25, §6 #221)',
  async act => {
    await using world = await openWorld({ engines: { listener } })
    await world.startWorker({ parkGraceMs: 30 })
    const handle = await world.processes.start({ kind: 'listener' })
    await eventually(() => isParked(world, handle.id))
    await operate(['workflow', act, '--workflow-id', handle.id])
    // A termination says nothing about the process: it still waits for its signal.
    if (act === 'terminate') await handle.signal('go', 1)
    expect(await handle.outcome()).toEqual(
      act === 'cancel'
        ? { status: 'cancelled', message: 'engine cancel' }
        : { status: 'completed', value: [1, 2] },
    )
  },
)
