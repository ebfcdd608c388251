import { fileURLToPath } from 'node:url'
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker'
import { expect, inject, test } from 'vitest'
import { localWorker } from '../../src/execution/environment.ts'
import { defineEngine, defineHost, temporalPlugin } from '../../src/index.ts'
import { createEncryptingConverter } from '../support/encrypting-converter.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld, silentLogger } from '../support/temporal-world.ts'

const gate = createGate()
const engines = {
  held: defineEngine({
    disposition: 'rerunnable',
    run: async ctx => {
      await gate.pass(ctx.signal)
      return ctx.attempt
    },
  }),
}

test('a team’s worker runs ours beside it: on its connection, with its codec and bundle, until it stops', async () => {
  const dataConverter = createEncryptingConverter()
  await using world = await openWorld({ engines, dataConverter })
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../support/their-workflows.ts', import.meta.url)),
    failureConverterPath: dataConverter.failureConverterPath ?? '',
    logger: new DefaultLogger('ERROR'),
  })
  const heard: string[] = []
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') })
  const theirs: WorkerOptions = {
    connection,
    dataConverter,
    workflowBundle,
    taskQueue: `theirs-${world.registry.registryId}`,
    activities: { greet: async (name: string) => `hello ${name}` },
    interceptors: {
      activity: [
        ({ info }) => ({
          inbound: {
            execute: (input, next) => {
              heard.push(info.activityType)
              return next(input)
            },
          },
        }),
      ],
    },
    plugins: [temporalPlugin(world.host, { logger: silentLogger, workflowBundle, shutdownGraceMs: 300 })],
  }
  const worker = await Worker.create(theirs)
  const running = worker.run()

  const handle = await world.processes.start({ kind: 'held' })
  const theirRun = await world.temporal.workflow.start('greeting', {
    workflowId: `greeting-${handle.id}`,
    taskQueue: theirs.taskQueue ?? '',
    args: ['ana'],
  })
  expect(await theirRun.result()).toBe('hello ana')
  await eventually(() => gate.arrivals === 1)
  expect(heard).toEqual(['greet'])

  // Theirs stops, and so does ours: it gives its process back for the next.
  worker.shutdown()
  await running
  expect(await world.registry.getLease(handle.id)).toBeUndefined()
  const { liveness } = localWorker(world.registry)
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  expect(await world.registry.workersOn(liveness.hostId)).toEqual([])
  gate.open()
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 2 })
  await connection.close()
})

test('the plugin says what it cannot serve: no connection, a second worker, a host that cannot run', async () => {
  await using world = await openWorld({ engines })
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') })
  const plugin = temporalPlugin(world.host)
  const configure = (options: WorkerOptions) => Promise.resolve(options).then(plugin.configureWorker)
  await expect(configure({ taskQueue: 'theirs' })).rejects.toMatchObject({ code: 'host_invalid' })
  expect(await configure({ taskQueue: 'theirs', connection })).toMatchObject({ taskQueue: 'theirs' })
  await expect(configure({ taskQueue: 'theirs', connection })).rejects.toThrow('more than one worker')

  // What is wrong only when it starts ends their run as well, with the reason.
  const forgetful = defineHost({ registry: world.host.registry, engines, stores: { attachments: {} } })
  const worker = await Worker.create({
    connection,
    taskQueue: `theirs-${world.registry.registryId}`,
    activities: { greet: async () => 'hello' },
    plugins: [temporalPlugin(forgetful, { logger: silentLogger })],
  })
  await expect(worker.run()).rejects.toMatchObject({ code: 'durable_store_required:attachment_store' })
  await connection.close()
})
