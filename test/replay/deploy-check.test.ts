import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { beforeAll, expect, inject, test } from 'vitest'
import { defineEngine, defineHost } from '../../src/index.ts'
import { checkDeploy } from '../../src/replay/deploy-check.ts'
import { loadWorkflowBundle } from '../../src/workflow-bundle.ts'
import { openWorkspace } from '../cli/fixtures.ts'
import { registerExternal } from '../cli/records.ts'
import { realTemporal } from '../dev-server/fixtures.ts'
import { createEncryptingConverter } from '../support/encrypting-converter.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/temporal-world.ts'

const listener = defineEngine({
  disposition: 'rerunnable',
  events: { 'signal.go': true },
  run: async ctx => (await ctx.waitForSignal('go')).payload,
})
/** Runs until it is told to stop. */
const held = defineEngine({
  disposition: 'rerunnable',
  run: ctx =>
    new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
})

/** The code of a build that no run of today could go on with. */
let incompatible: { readonly code: string }
beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('../support/other-process-workflow.ts', import.meta.url))
  incompatible = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') })
})

test('a deploy check replays parked and running processes, and says which a build would break (§6 #228)', async () => {
  await using world = await openWorld({ engines: { listener, held } })
  await world.startWorker({ parkGraceMs: 30 })
  const [parked, running] = [
    await world.processes.start({ kind: 'listener' }),
    await world.processes.start({ kind: 'held' }),
  ]
  const done = await world.processes.start({ kind: 'listener' })
  await done.signal('go')
  await done.outcome()
  await eventually(async () => {
    expect((await parked.describe()).waits).toHaveLength(1)
    expect((await running.describe()).firstStarted).toBeDefined()
  })
  // Work of somebody else has no run.
  await registerExternal(world.registry, 'theirs')

  const { registry, temporal: client } = world
  const check = { registry, client, workflowBundle: await loadWorkflowBundle() }
  const whole = { replayed: 2, pinned: 0, withoutRun: 1 }
  expect(await checkDeploy({ ...check, host: world.host })).toEqual({ ...whole, breaking: [] })

  const report = await checkDeploy({ ...check, workflowBundle: incompatible })
  expect(report).toMatchObject(whole)
  expect(report.breaking.toSorted((left, right) => left.id.localeCompare(right.id))).toEqual(
    [parked.id, running.id]
      .toSorted()
      .map(id => ({ id, type: 'replay', reason: expect.stringContaining('Nondeterminism') })),
  )

  const host = defineHost({ registry: world.host.registry, engines: { held } })
  expect((await checkDeploy({ ...check, host })).breaking).toEqual([
    { id: parked.id, type: 'engine_missing', reason: expect.stringContaining('no engine "listener"') },
  ])
})

test('a deploy check reads what an encrypting codec wrote', async () => {
  const dataConverter = createEncryptingConverter()
  await using world = await openWorld({ engines: { listener }, dataConverter })
  await world.startWorker({ parkGraceMs: 30 })
  const parked = await world.processes.start({ kind: 'listener' })
  await eventually(async () => expect((await parked.describe()).waits).toHaveLength(1))
  const { registry, temporal: client } = world
  const workflowBundle = await loadWorkflowBundle(undefined, dataConverter)
  expect(await checkDeploy({ registry, client, workflowBundle, dataConverter })).toEqual({
    replayed: 1,
    pinned: 0,
    withoutRun: 0,
    breaking: [],
  })
})

test('the commands deploy-check and replay exit with 1 for a build that would break something', async () => {
  await using world = await openWorld({ engines: { listener } })
  await world.startWorker({ parkGraceMs: 30 })
  const { id, describe } = await world.processes.start({ kind: 'listener' })
  await eventually(async () => expect((await describe()).waits).toHaveLength(1))
  const { cli, write } = await openWorkspace()
  const bundle = await write('bundle.js', incompatible.code)
  const show = ['workflow', 'show', '--address', inject('temporalAddress'), '--workflow-id', id]
  const shown = await promisify(execFile)(await realTemporal(), [...show, '--output', 'json'])
  const history = await write('history.json', shown.stdout)
  const notOne = await write('none.json', '{"events":[]}')

  const registry = ['--registry', `sqlite:${world.registryPath}`]
  const answers = await Promise.all([
    cli(['deploy-check', ...registry]),
    cli(['deploy-check', ...registry, '--bundle', bundle]),
    cli(['replay', history]),
    cli(['replay', history, '--bundle', bundle]),
    cli(['replay', notOne]),
  ])
  expect(answers).toMatchObject([
    { code: 0, stdout: '1 replayed.\nThis build can go on with all of them.\n', stderr: '' },
    {
      code: 1,
      stdout: expect.stringMatching(new RegExp(`^breaks  ${id}: .*\n1 replayed.\nDo not deploy`)),
      stderr: '',
    },
    { code: 0, stdout: `replays  ${history}\n`, stderr: '' },
    { code: 1, stdout: expect.stringContaining(`breaks   ${history}: `), stderr: '' },
    { code: 2, stdout: '', stderr: expect.stringContaining('it holds no events') },
  ])
})
