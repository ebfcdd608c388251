import { expect, onTestFinished, test, vi } from 'vitest'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { collectBlobs, createBlobCollector } from '../../src/maintenance/collect-blobs.ts'
import { MAX_INLINE_BYTES } from '../../src/model/blob.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { owner } from '../model/fixtures.ts'
import { eventually } from '../support/eventually.ts'
import { openStage, silent, work } from './stage.ts'

const outputOf = (id: unknown): string => String(id).repeat(MAX_INLINE_BYTES * 2)

function openLarge() {
  const store = createMemoryStore()
  const stage = openStage({ store, engines: work(ctx => outputOf(ctx.input)) })
  const addCollector = (name = 'ana') => {
    const host = { registry: { description: 'the stage', open: async () => stage.registry } }
    const options = { worker: owner(name), logger: silent }
    const collector = createBlobCollector(createExecutionEnvironment(host, stage.registry, options))
    onTestFinished(() => collector.stop())
    return collector
  }
  /** Processes that end with a large value, each with its own. */
  const end = async (...ids: string[]): Promise<void> => {
    for (const id of ids) {
      await stage.start({ id, input: id })
      await stage.outcome(id)
    }
  }
  /** All that has ended by now. */
  const prune = () => stage.registry.prune({ before: Number.MAX_SAFE_INTEGER })
  const countBlobs = async () => (await store.read(reader => reader.listBlobs('', 100))).length
  return { stage, addCollector, end, prune, countBlobs }
}

test('a round collects what the pruned processes leave behind, in however many pages', async () => {
  const { stage, end, prune, countBlobs } = openLarge()
  await end('a', 'b', 'c', 'd', 'e')
  expect(await collectBlobs(stage.registry)).toEqual({ count: 0, bytes: 0 })
  await prune()
  await end('z')
  const bytes = 5 * JSON.stringify(outputOf('a')).length
  expect(await collectBlobs(stage.registry, { pageSize: 2 })).toEqual({ count: 5, bytes })
  expect(await countBlobs()).toBe(1)
  expect(await stage.outcome('z')).toEqual({ status: 'completed', value: outputOf('z') })
})

test('a round ends between two pages where it is told to', async () => {
  const { stage, end, prune, countBlobs } = openLarge()
  await end('a', 'b', 'c')
  await prune()
  expect(await collectBlobs(stage.registry, { pageSize: 1, mayGoOn: () => false })).toMatchObject({
    count: 1,
  })
  expect(await countBlobs()).toBe(2)
})

test('a worker collects as it starts, and then every hour', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { addCollector, end, prune, countBlobs } = openLarge()
  await end('a')
  await prune()
  const collector = addCollector()
  collector.start()
  await eventually(async () => (await countBlobs()) === 0)
  await end('b')
  await prune()
  await vi.advanceTimersByTimeAsync(3_600_000)
  await collector.stop()
  expect(await countBlobs()).toBe(0)
})

test('a worker leaves it to the one that collects already', async () => {
  const { stage, addCollector, end, prune, countBlobs } = openLarge()
  const ben = { ...owner('ben'), liveness: { kind: 'opaque' } } as const
  const held = await stage.registry.claimDuty('blobs', ben, { ttlMs: 3_600_000 })
  await end('a')
  await prune()
  const collector = addCollector()
  collector.start()
  await collector.stop()
  expect(await countBlobs()).toBe(1)
  if (held.type === 'acquired') await stage.registry.release(held.lease)
  collector.start()
  await collector.stop()
  expect(await countBlobs()).toBe(0)
})
