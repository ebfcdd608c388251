import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { portOf, startOwnServer } from '../support/own-server.ts'
import { openWorld } from '../support/temporal-world.ts'

const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })

test('a start that cannot reach the server says so, keeps the row, and the sweep starts it later (H1, §6 #215)', async () => {
  const server = await startOwnServer()
  await using world = await openWorld({ engines: { quick }, address: server.address })
  await world.startWorker()
  await server.kill()
  await expect(world.processes.start({ kind: 'quick', id: 'kept' })).rejects.toMatchObject({
    code: 'temporal_unreachable',
    processId: 'kept',
  })
  expect(await world.registry.get('kept')).toMatchObject({ status: 'running', attempts: 0 })
  expect((await world.registry.get('kept'))?.externalRef).toBeUndefined()
  await startOwnServer(portOf(server.address))
  expect(await world.processes.handle('kept').outcome()).toEqual({ status: 'completed', value: 'done' })
})

test('a cancel reaches running code though the server is gone', async () => {
  const gate = createGate()
  const held = defineEngine({ disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) })
  const server = await startOwnServer()
  await using world = await openWorld({ engines: { held }, address: server.address })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  await server.kill()
  const cancelled = handle.cancel('stop')
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'stop' })
  await cancelled
})

test('a worker can be stopped though its server is gone, and gives its process back', async () => {
  const gate = createGate()
  const held = defineEngine({ disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) })
  const server = await startOwnServer()
  await using world = await openWorld({ engines: { held }, address: server.address })
  const worker = await world.startWorker({ shutdownGraceMs: 300 })
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  await server.kill()
  await worker.stop()
  expect(await world.registry.getLease(handle.id)).toBeUndefined()
  expect(await handle.describe()).toMatchObject({ status: 'running' })
})
