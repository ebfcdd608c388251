import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker'
import { beforeAll, expect, inject, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/temporal-world.ts'

const nothing = () => {}
const quiet = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
let workflowBundle: { readonly code: string }
beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('../support/other-workflow.ts', import.meta.url))
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: quiet })
})

/** A worker with the other workflow, on the registry's own queue. */
async function startOther(registryId: string) {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') })
  const worker = await Worker.create({ connection, taskQueue: `leasehold-${registryId}`, workflowBundle })
  const running = worker.run()
  return {
    [Symbol.asyncDispose]: async () => {
      worker.shutdown()
      await running
      await connection.close()
    },
  }
}

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => [(await ctx.waitForSignal('go')).payload, ctx.attempt],
})

test('a workflow that a wrong deploy cannot replay waits for the right one, and gets no duplicate (H17)', async () => {
  await using world = await openWorld({ engines: { listener } })
  const right = await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  await right.stop()
  const { runId } = await world.workflow(handle.id).describe()
  const eventsOf = async () => (await world.workflow(handle.id).fetchHistory()).events ?? []
  {
    await using _ = await startOther(world.registry.registryId)
    // It sweeps, and polls a queue that nothing is on.
    const sweeper = await world.startWorker({ taskQueue: `elsewhere-${world.registry.registryId}` })
    await world.registry.signal(handle.id, 'go', 'now')
    await eventually(async () => {
      const events = await eventsOf()
      expect(events.some(event => event.workflowExecutionSignaledEventAttributes != null)).toBe(true)
      expect(events.some(event => event.workflowTaskFailedEventAttributes != null)).toBe(true)
    })
    await sweeper.stop()
  }
  expect(await handle.describe()).toMatchObject({ status: 'running', attempts: 1 })
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: ['now', 2] })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect((await world.workflow(handle.id).describe()).runId).toBe(runId)
})

test('a process whose workflow fails at once is not ended by it, nor hammered (H22)', async () => {
  await using world = await openWorld({ engines: { listener } })
  const id = `poison-${world.registry.registryId}`
  {
    await using _ = await startOther(world.registry.registryId)
    const sweeper = await world.startWorker({ taskQueue: `elsewhere-${world.registry.registryId}` })
    await world.processes.start({ kind: 'listener', id })
    await expect(world.workflow(id).result()).rejects.toThrow()
    // The next one is half a minute away, and each that follows twice as far.
    expect(await world.registry.msUntilDue()).toBeGreaterThan(5_000)
    await sweeper.stop()
  }
  expect(await world.registry.get(id)).toMatchObject({ status: 'running', attempts: 0 })
  await world.startWorker()
  await world.processes.handle(id).cancel('enough')
  expect(await world.processes.handle(id).outcome()).toEqual({ status: 'cancelled', message: 'enough' })
  expect(await world.workflow(id).result()).toEqual({ status: 'cancelled' })
})
