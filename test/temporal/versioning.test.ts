import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { defineEngine } from '../../src/index.ts'
import { jsonError, openWorkspace } from '../cli/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/temporal-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The host of one build: its processes say which build each part of them ran in. */
const engines = (build: string) => ({
  says: defineEngine<null, null, string[]>({
    disposition: 'rerunnable',
    events: { 'signal.go': true },
    async run(ctx) {
      const first = await ctx.step('first', () => build)
      await ctx.waitForSignal('go')
      return [first, build]
    },
  }),
})

/** Resolves when the server gives new work to this build. It refuses that until it has seen a worker of it. */
const makeCurrent = (temporal: Client, deploymentName: string, buildId: string) =>
  eventually(() =>
    temporal.workflowService.setWorkerDeploymentCurrentVersion({
      namespace: 'default',
      deploymentName,
      buildId,
      identity: 'test',
    }),
  )

test.each([
  ['AUTO_UPGRADE', ['one', 'two']],
  ['PINNED', ['one', 'one']],
] as const)(
  'after a deploy, a parked process of behaviour %s goes on in the builds %j',
  async (versioningBehavior, ran) => {
    const folder = await temporaryFolder()
    await using one = await openWorld({ folder, engines: engines('one') })
    await using two = await openWorld({ folder, engines: engines('two') })
    const name = `deployment-${one.registry.registryId}`
    const deployment = (buildId: string) => ({
      deployment: { name, buildId, versioningBehavior },
      parkGraceMs: 30,
    })

    await one.startWorker(deployment('one'))
    await makeCurrent(one.temporal, name, 'one')
    const before = await one.processes.start({ kind: 'says', input: null })
    await eventually(async () => (await before.describe()).waits.length === 1)

    await two.startWorker(deployment('two'))
    await makeCurrent(two.temporal, name, 'two')
    const after = await two.processes.start({ kind: 'says', input: null })
    await eventually(async () => (await after.describe()).waits.length === 1)

    for (const handle of [before, after]) await handle.signal('go')
    expect(await before.outcome()).toEqual({ status: 'completed', value: ran })
    expect(await after.outcome()).toEqual({ status: 'completed', value: ['two', 'two'] })
  },
)

test('a worker of the command line is of the build that its flags or Temporal’s worker controller name', async () => {
  const { start, cli, writeHost, id } = await openWorkspace()
  const host = await writeHost('engines: {}')
  await using world = await openWorld({ engines: engines('none') })
  const deploymentName = `deployment-${id}`
  start(['worker', '--host', host], {
    env: { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: 'three' },
  })
  const info = await eventually(async () => {
    const named = { namespace: 'default', deploymentName }
    return (await world.temporal.workflowService.describeWorkerDeployment(named)).workerDeploymentInfo
  })
  expect(info?.versionSummaries?.map(({ deploymentVersion }) => deploymentVersion?.buildId)).toEqual([
    'three',
  ])

  const half = await cli(['worker', '--host', host, '--build-id', 'three', '--json'])
  expect(half.code).toBe(2)
  expect(jsonError(half).message).toContain('--deployment')
})
