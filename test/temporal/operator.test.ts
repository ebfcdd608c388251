import { expect, test } from 'vitest'
import { type Disposition, defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'

const RUNNABLE = ['rerunnable', 'owner_bound'] as const satisfies readonly Disposition[]

test.each(RUNNABLE)(
  'a %s attempt whose workflow an operator terminates finishes under its lease (§6 #217, #218)',
  async disposition => {
    const gate = createGate()
    const held = defineEngine({
      disposition,
      async run(ctx) {
        await gate.pass(ctx.signal)
        return ctx.step('last', () => ctx.attempt)
      },
    })
    await using world = await openWorld({
      engines: { held },
      leaseTimings: { ttlMs: 900, renewIntervalMs: 300 },
    })
    await world.startWorker()
    const handle = await world.processes.start({ kind: 'held' })
    await eventually(() => gate.arrivals === 1)
    await world.workflow(handle.id).terminate('by an operator')
    // The lease is still renewed after a heartbeat has told the worker that the activity is gone.
    const expiry = async () => (await world.registry.getLease(handle.id))?.expiresAtMs ?? 0
    const atTermination = await expiry()
    await eventually(async () => (await expiry()) > atTermination + 900)
    gate.open()
    expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
    expect(gate.arrivals).toBe(1)
  },
)

test('a parked process whose workflow an operator terminates is submitted again at its deadline (§6 #217)', async () => {
  const napper = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      await ctx.sleep(700)
      return ctx.attempt
    },
  })
  await using world = await openWorld({ engines: { napper } })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'napper' })
  await eventually(async () => (await handle.describe()).waits.length === 1)
  await world.workflow(handle.id).terminate('by an operator')
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 2 })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test('a workflow that an operator resets finds its ended process and returns its outcome', async () => {
  const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })
  await using world = await openWorld({ engines: { quick } })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'quick' })
  await handle.outcome()
  await world.workflow(handle.id).result()
  const { runId } = await world.workflow(handle.id).describe()
  const { events } = await world.workflow(handle.id).fetchHistory()
  const firstTask = events?.find(event => event.workflowTaskCompletedEventAttributes != null)
  await world.temporal.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.id, runId },
    workflowTaskFinishEventId: firstTask?.eventId ?? null,
    requestId: 'reset',
    reason: 'by an operator',
  })
  await eventually(async () => (await world.workflow(handle.id).describe()).runId !== runId)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(await handle.describe()).toMatchObject({ attempts: 1 })
})
