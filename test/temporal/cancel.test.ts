import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

/** The server's state of an activity that was asked to stop. */
const PENDING_CANCEL = 3

const CANCEL = 'process.cancel_requested'
const cancels = (types: readonly string[]) => types.filter(type => type === CANCEL)

function held() {
  const gate = createGate()
  return { gate, held: defineEngine({ disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) }) }
}

type WorkflowOf = (id: string) => ReturnType<Client['workflow']['getHandle']>

const sleeper = defineEngine({ disposition: 'rerunnable', run: ctx => ctx.sleep(3_600_000) })

test('a cancel reaches running code by its signal, and the process ends cancelled (§6 #193)', async () => {
  const { gate, held: engine } = held()
  await using world = await openWorld({ engines: { held: engine } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  await handle.cancel('the user pressed stop')
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'the user pressed stop' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(18)
})

test('code that is deaf to its cancel is ended by force, and so is its workflow', async () => {
  const gate = createGate()
  const deaf = defineEngine({ disposition: 'rerunnable', run: () => gate.pass() })
  await using world = await openWorld({ engines: { deaf } })
  await world.startWorker({ forceGraceMs: 100 })
  const handle = await world.processes.start({ kind: 'deaf' })
  await eventually(() => gate.arrivals === 1)
  await handle.cancel('enough')
  await handle.cancel('enough', { force: true })
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'enough', raw: { stopped: false } })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
  expect(cancels(await world.eventTypes(handle.id))).toHaveLength(2)
  gate.open()
})

test('a process cancelled before any worker is up never runs (§6 #194)', async () => {
  const { gate, held: engine } = held()
  await using world = await openWorld({ engines: { held: engine } })
  const handle = await world.processes.start({ kind: 'held' })
  await handle.cancel('changed my mind')
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'changed my mind' })
  expect(gate.arrivals).toBe(0)
  expect((await handle.describe()).firstStarted).toBeUndefined()
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
})

test('a parked process that is cancelled ends at once', async () => {
  await using world = await openWorld({ engines: { sleeper } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'sleeper' })
  await eventually(async () => (await handle.describe()).waits.length === 1)
  await handle.cancel('no need')
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'no need' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
})

test('a cancel after the end changes nothing', async () => {
  const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })
  await using world = await openWorld({ engines: { quick } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'quick' })
  const outcome = await handle.outcome()
  const before = await world.eventTypes(handle.id)
  await handle.cancel('too late')
  expect(await handle.outcome()).toEqual(outcome)
  expect((await world.eventTypes(handle.id)).filter(type => type !== CANCEL)).toEqual(before)
})

test('the same cancel twice is one event, another reason a second one, and one outcome (H27, §6 #196)', async () => {
  const { gate, held: engine } = held()
  await using world = await openWorld({ engines: { held: engine } })
  const handle = await world.processes.start({ kind: 'held' })
  await handle.cancel('stop')
  await handle.cancel('stop')
  expect(cancels(await world.eventTypes(handle.id))).toHaveLength(1)
  await handle.cancel('stop, I said')
  expect(cancels(await world.eventTypes(handle.id))).toHaveLength(2)
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'stop' })
  const types = await world.eventTypes(handle.id)
  expect(types.filter(type => type === 'process.cancelled')).toHaveLength(1)
  expect(gate.arrivals).toBe(0)
})

test('code that ignores its cancel and returns is completed (§6 #197)', async () => {
  const stubborn = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      await new Promise(resolve => ctx.signal.addEventListener('abort', resolve, { once: true }))
      return ctx.step('last', () => 'finished all the same')
    },
  })
  await using world = await openWorld({ engines: { stubborn } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'stubborn' })
  await eventually(async () => (await handle.describe()).firstStarted !== undefined)
  await handle.cancel()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'finished all the same' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test("a cancel from Temporal's own API becomes a durable event and a cancelled outcome (H25, §6 #221)", async () => {
  const { gate, held: engine } = held()
  await using world = await openWorld({ engines: { held: engine } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  await world.workflow(handle.id).cancel()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'engine cancel' })
  expect(cancels(await world.eventTypes(handle.id))).toHaveLength(1)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
})

test("a cancel from Temporal's own API reaches a parked process", async () => {
  await using world = await openWorld({ engines: { sleeper } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'sleeper' })
  await eventually(async () => (await handle.describe()).waits.length === 1)
  await world.workflow(handle.id).cancel()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'engine cancel' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
})

test("a cancel from Temporal's own API before any worker is up is recorded by the first one", async () => {
  const { held: engine } = held()
  await using world = await openWorld({ engines: { held: engine } })
  const handle = await world.processes.start({ kind: 'held' })
  await world.workflow(handle.id).cancel()
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'engine cancel' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
})

const stuck = defineEngine({
  disposition: 'rerunnable',
  // Never answers its cancel, so the attempt ends with its worker.
  run: () => new Promise<void>(() => {}),
})

const isAskedToStop = async (world: { workflow: WorkflowOf }, id: string) => {
  const { raw } = await world.workflow(id).describe()
  return raw.pendingActivities?.[0]?.state === PENDING_CANCEL
}

test('a cancelled attempt that its worker could not finish is ended by the next one, in the same workflow run', async () => {
  await using world = await openWorld({ engines: { stuck } })
  const first = await world.startWorker({ shutdownGraceMs: 300, stopBoundMs: 1 })
  const handle = await world.processes.start({ kind: 'stuck' })
  await eventually(async () => (await handle.describe()).firstStarted !== undefined)
  const { runId } = await world.workflow(handle.id).describe()
  await handle.cancel('stop')
  await eventually(() => isAskedToStop(world, handle.id))
  await first.stop()
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'stop' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'cancelled' })
  expect((await world.workflow(handle.id).describe()).runId).toBe(runId)
})

test('a shutdown reaches an attempt that Temporal has asked to stop before', async () => {
  const leaseTimings = { ttlMs: 600, renewIntervalMs: 200 }
  await using world = await openWorld({ engines: { stuck }, leaseTimings })
  const worker = await world.startWorker({ shutdownGraceMs: 300, stopBoundMs: 1 })
  const handle = await world.processes.start({ kind: 'stuck' })
  await eventually(async () => (await handle.describe()).firstStarted !== undefined)
  await handle.cancel('stop')
  await eventually(() => isAskedToStop(world, handle.id))
  // The next heartbeat brings Temporal's word, and is sent at each renewal.
  const before = (await world.registry.getLease(handle.id))?.expiresAtMs ?? 0
  await eventually(async () => {
    const lease = await world.registry.getLease(handle.id)
    expect(lease?.expiresAtMs).toBeGreaterThan(before + 3 * leaseTimings.renewIntervalMs)
  })
  await worker.stop()
  expect(await world.registry.getLease(handle.id)).toBeUndefined()
})
