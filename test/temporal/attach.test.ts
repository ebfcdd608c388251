import { expect, test } from 'vitest'
import { createTemporalAttach } from '../../src/client/temporal-attach.ts'
import { ProcessWorkDriver } from '../../src/execution/work-driver.ts'
import { defineEngine } from '../../src/index.ts'
import { createGate } from '../support/gate.ts'
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

test('an attached wait whose workflow is terminated ends with that, and never as an outcome (§6 #134)', async () => {
  await using world = await openWorld({
    engines: { pass: defineEngine({ disposition: 'rerunnable', run: () => createGate().pass() }) },
  })
  const handle = await world.processes.start({ kind: 'pass' })
  const attach = createTemporalAttach(world.temporal, world.registry)
  const end = attach.awaitTerminal(handle.id)
  await world.workflow(handle.id).terminate('by hand')
  await expect(end).rejects.toThrow()
  expect(await handle.describe()).toMatchObject({ status: 'running' })
})
