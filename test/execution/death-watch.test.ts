import { expect, onTestFinished, test } from 'vitest'
import { DeathWatch, type FailOrphan } from '../../src/execution/death-watch.ts'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import type { LeaseOwner } from '../../src/model/lease.ts'
import { eventually } from '../support/eventually.ts'
import { openStage, type Stage, silent, work } from './stage.ts'

/** A worker of this host whose pid nobody has. */
function deadWorker(stage: Stage, name: string): LeaseOwner {
  const { liveness } = stage.identity
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  return { ownerId: name, incarnationId: name, liveness: { ...liveness, pid: 2 ** 22 + 1 } }
}

function watch(stage: Stage, failOrphan: FailOrphan): DeathWatch {
  const host = { registry: { description: 'the stage', open: async () => stage.registry } }
  const environment = createExecutionEnvironment(host, stage.registry, { logger: silent })
  const deathWatch = new DeathWatch(environment, failOrphan)
  onTestFinished(() => deathWatch.stop())
  return deathWatch
}

async function begunBy(stage: Stage, worker: LeaseOwner, backendToken?: string): Promise<string> {
  await stage.registry.announceWorker(worker)
  const id = await stage.start()
  await stage.registry.beginAttempt(id, {
    worker,
    attempt: `attempt-of-${id}`,
    ttlMs: 3_600_000,
    ...(backendToken === undefined ? {} : { backendToken }),
  })
  return id
}

test('a dead worker’s leases are cleared before its attempts are failed in the backend', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await begunBy(stage, deadWorker(stage, 'dead'), 'token-1')
  const seen: unknown[] = []
  const deathWatch = watch(stage, async orphan => {
    seen.push([orphan.backendToken, await stage.registry.getLease(id)])
    return 'failed'
  })
  await deathWatch.check()
  expect(seen).toEqual([['token-1', undefined]])
  await deathWatch.check()
  expect(seen).toHaveLength(1)
  expect(await stage.outcome(id)).toEqual({ status: 'completed', value: 1 })
})

test('an attempt that could not be failed is tried again until it is, by every worker of the host', async () => {
  const stage = openStage({ engines: work(() => 1) })
  await begunBy(stage, deadWorker(stage, 'dead'), 'token-1')
  const tried: string[] = []
  const unlucky = watch(stage, async () => {
    tried.push('unlucky')
    throw new Error('the server does not answer')
  })
  const lucky = watch(stage, async () => {
    tried.push('lucky')
    return 'failed'
  })
  await unlucky.check()
  await unlucky.check()
  await lucky.check()
  await unlucky.check()
  expect(tried).toEqual(['unlucky', 'unlucky', 'lucky'])
})

test('an attempt that the backend does not know makes its row due for the sweep', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const id = await begunBy(stage, deadWorker(stage, 'dead'), 'token-1')
  await watch(stage, async () => 'gone').check()
  expect((await stage.registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual([id])
})

test('workers that live, and workers of other hosts, are left alone', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const { liveness } = stage.identity
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  const elsewhere = {
    ...deadWorker(stage, 'elsewhere'),
    liveness: { ...liveness, hostId: 'b', pid: 2 ** 22 + 1 },
  }
  const ids = [await begunBy(stage, elsewhere, 'x'), await begunBy(stage, stage.identity, 'y')]
  const failed: string[] = []
  await watch(stage, async orphan => {
    failed.push(orphan.backendToken)
    return 'failed'
  }).check()
  expect(failed).toEqual([])
  for (const id of ids) expect(await stage.registry.getLease(id)).toBeDefined()
})

test('it looks by itself, until it is stopped', async () => {
  const stage = openStage({ engines: work(() => 1) })
  const failed: string[] = []
  const deathWatch = watch(stage, async orphan => {
    failed.push(orphan.backendToken)
    return 'failed'
  })
  deathWatch.start()
  deathWatch.start()
  await begunBy(stage, deadWorker(stage, 'dead'), 'token-1')
  await eventually(() => failed.length === 1)
  await deathWatch.stop()
  await deathWatch.stop()
})
