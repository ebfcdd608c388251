import { expect, test } from 'vitest'
import { createTemporalAttach } from '../../src/client/temporal-attach.ts'
import { ProcessWorkDriver } from '../../src/execution/work-driver.ts'
import { defineEngine } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { operate } from '../support/temporal-cli.ts'
import { openWorld, silentLogger } from '../support/temporal-world.ts'

test('a driver attached to Temporal waits for the workflow, and answers with the registry’s outcome (§6 #133, #134)', async () => {
  const gate = createGate()
  await using world = await openWorld({
    engines: {
      pass: defineEngine({ disposition: 'rerunnable', run: () => gate.pass().then(() => 'through') }),
    },
  })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'pass' })
  const driver = ProcessWorkDriver.fromWatched(
    world.registry,
    { claimAndRunPending: async () => {} },
    { logger: silentLogger },
  ).withAttach(createTemporalAttach(world.temporal, world.registry))
  const abort = new AbortController()
  const given = driver.awaitTerminal(handle.id, { signal: abort.signal })
  const end = driver.awaitTerminal(handle.id)
  abort.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  gate.open()
  expect(await end).toEqual({ status: 'completed', value: 'through' })
  expect(await driver.awaitTerminal(handle.id)).toEqual({ status: 'completed', value: 'through' })
})

test('an attached wait whose workflow is terminated ends with that, and never as an outcome (H19, §6 #134, #229)', async () => {
  await using world = await openWorld({
    engines: { pass: defineEngine({ disposition: 'rerunnable', run: () => createGate().pass() }) },
  })
  const handle = await world.processes.start({ kind: 'pass' })
  const attach = createTemporalAttach(world.temporal, world.registry)
  const ended = expect(attach.awaitTerminal(handle.id)).rejects.toMatchObject({
    code: 'process_attach_ended',
    processId: handle.id,
    message: expect.stringContaining('terminated'),
  })
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  await ended
  expect(await handle.describe()).toMatchObject({ status: 'running' })
})

test('an attached wait whose workflow is terminated finds the outcome that its process had before (H19)', async () => {
  const gate = createGate()
  await using world = await openWorld({
    engines: {
      pass: defineEngine({ disposition: 'rerunnable', run: () => gate.pass().then(() => 'through') }),
    },
  })
  await world.startWorker()
  const handle = await world.processes.start({ kind: 'pass' })
  await eventually(() => gate.arrivals === 1)
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  gate.open()
  await handle.outcome()
  const attach = createTemporalAttach(world.temporal, world.registry)
  expect(await attach.awaitTerminal(handle.id)).toEqual({ status: 'completed', value: 'through' })
})
