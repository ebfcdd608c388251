/** A server whose lists of workflows lag for ever, and which deletes what is closed. */
import { expect, test } from 'vitest'
import { createTemporalAttach } from '../../src/client/temporal-attach.ts'
import { ProcessWorkDriver } from '../../src/execution/work-driver.ts'
import { defineEngine } from '../../src/index.ts'
import { collect } from '../support/collect.ts'
import { eventually } from '../support/eventually.ts'
import { startOwnServer } from '../support/own-server.ts'
import { operate } from '../support/temporal-cli.ts'
import { openWorld, silentLogger } from '../support/temporal-world.ts'

const BLIND = {
  // Nobody writes what a list or a search attribute would show.
  'history.visibilityProcessorSchedulerWorkerCount': 0,
  // As when retention has passed, but without waiting for a day.
  'history.transferProcessorEnsureCloseBeforeDelete': false,
}

const napper = defineEngine({
  disposition: 'rerunnable',
  async run(ctx) {
    await ctx.sleep(1_500)
    return ctx.attempt
  },
})

test('processes go on and end though the server’s lists lag, and their outcomes outlive its retention (H18, H21, §6 #234)', async () => {
  const settings = Object.entries(BLIND).flatMap(each => ['--dynamic-config-value', each.join('=')])
  const { address } = await startOwnServer(undefined, settings)
  await using world = await openWorld({ engines: { napper }, address })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'napper' })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  await operate(['workflow', 'terminate', '--workflow-id', handle.id], address)
  const outcome = { status: 'completed', value: 2 }
  expect(await handle.outcome()).toEqual(outcome)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(await collect(world.temporal.workflow.list())).toEqual([])

  await operate(['workflow', 'delete', '--workflow-id', handle.id], address)
  await eventually(async () => {
    await expect(world.workflow(handle.id).describe()).rejects.toThrow()
  })
  expect(await handle.outcome()).toEqual(outcome)
  const attach = createTemporalAttach(world.temporal, world.registry)
  const driver = ProcessWorkDriver.fromWatched(
    world.registry,
    { claimAndRunPending: async () => {} },
    { logger: silentLogger },
  ).withAttach(attach)
  expect(await driver.awaitTerminal(handle.id)).toEqual(outcome)
  expect(await attach.awaitTerminal(handle.id)).toEqual(outcome)
  expect(await world.processes.start({ kind: 'napper', id: handle.id })).toMatchObject({ started: false })
  await expect(world.workflow(handle.id).describe()).rejects.toThrow()
})
