/** Servers with settings of their own: one whose lists lag for ever and which deletes what is closed, one with little room. */
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

const settingsOf = (settings: Readonly<Record<string, number | boolean>>): string[] =>
  Object.entries(settings).flatMap(each => ['--dynamic-config-value', each.join('=')])

const napper = defineEngine({
  disposition: 'rerunnable',
  async run(ctx) {
    // Long enough for the operator to be before its end: what comes to a run just before that ends costs half a minute.
    await ctx.sleep(5_000)
    return ctx.attempt
  },
})

test('processes go on and end though the server’s lists lag, and their outcomes outlive its retention (H18, H21, §6 #234)', async () => {
  const { address } = await startOwnServer(undefined, settingsOf(BLIND))
  await using world = await openWorld({ engines: { napper }, address })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'napper' })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  await operate(['workflow', 'terminate', '--workflow-id', handle.id], address)
  const outcome = { status: 'completed', value: 2 }
  expect(await handle.outcome()).toEqual(outcome)
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect(await collect(world.temporal.workflow.list())).toEqual([])

  // What the end of the retention does, done by hand: a namespace keeps what is closed for an hour at least (a shorter
  // `--retention` is refused), and the server whose time can be skipped deletes nothing, however much of it is.
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

test('a process whose workflow the server ends for its length goes on in the next one (H4, H16)', async () => {
  // Long before our own workflow would continue as new.
  const { address } = await startOwnServer(undefined, settingsOf({ 'limit.historyCount.error': 100 }))
  const listener = defineEngine({
    disposition: 'rerunnable',
    events: { 'signal.go': true },
    run: async ctx => (await ctx.waitForSignal('go')).payload,
  })
  await using world = await openWorld({ engines: { listener }, address })
  await world.startWorker({ parkGraceMs: 30 })
  const handle = await world.processes.start({ kind: 'listener' })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  const isRunning = async () => (await world.workflow(handle.id).describe()).status.name === 'RUNNING'
  const { runId } = await world.workflow(handle.id).describe()
  // One that comes when the run has just been ended is refused.
  while (await isRunning())
    await world
      .workflow(handle.id)
      .signal('nudge', 'look')
      .catch(() => {})
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  await handle.signal('go', 'on')
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'on' })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
  expect((await world.workflow(handle.id).describe()).runId).not.toBe(runId)
})
