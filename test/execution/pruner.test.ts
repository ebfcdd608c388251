import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createExecutionEnvironment } from '../../src/execution/environment.ts'
import { compactTombstones, pruneProcesses } from '../../src/maintenance/prune.ts'
import { Pruner, type Retention } from '../../src/maintenance/pruner.ts'
import type { ProcessEvent } from '../../src/model/event.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createManualClock } from '../../src/testing/index.ts'
import { errorWith, owner } from '../model/fixtures.ts'
import { openStage, type Stage, silent, work } from './stage.ts'

const DAY = 86_400_000

function openAged() {
  const clock = createManualClock(1_000 * DAY)
  const stage = openStage({ store: createMemoryStore({ clock: clock.now }), engines: work(() => 1) })
  const addPruner = (retention: Retention, name = 'ana') => {
    const host = { registry: { description: 'the stage', open: async () => stage.registry } }
    const worker = owner(name)
    const pruner = new Pruner(
      createExecutionEnvironment(host, stage.registry, { worker, logger: silent }),
      retention,
    )
    onTestFinished(() => pruner.stop())
    return pruner
  }
  return { clock, stage, addPruner }
}

async function end(stage: Stage, id: string): Promise<void> {
  await stage.start({ id })
  await stage.outcome(id)
}

const ids = async ({ registry }: Stage): Promise<string[]> =>
  (await registry.list({ status: 'any' })).records.map(({ id }) => id)

describe('pruning all', () => {
  test('goes through every page, and reports the sum', async () => {
    const { stage } = openAged()
    for (const id of ['a', 'b', 'c', 'd', 'e']) await end(stage, id)
    await stage.start({ id: 'waiter' })
    const on = { type: 'event', processId: 'c', eventType: 'note', after: 9 } as const
    await stage.registry.setWait('waiter', { key: 'w', sinceMs: 1, on })
    const events: ProcessEvent[] = []
    for (const id of ['a', 'b', 'd', 'e']) events.push(...(await stage.events(id)))
    const report = await pruneProcesses(stage.registry, { before: Number.MAX_SAFE_INTEGER }, { pageSize: 2 })
    expect(report).toEqual({
      prunedProcesses: 4,
      prunedEvents: events.length,
      keptProcesses: 1,
      kept: [{ id: 'c', reason: 'awaited' }],
    })
    expect(await ids(stage)).toEqual(['c', 'waiter'])
  })

  test('ends between two pages where it is told to, and what is done is done', async () => {
    const { stage } = openAged()
    for (const id of ['a', 'b', 'c']) await end(stage, id)
    const options = { pageSize: 1, mayGoOn: () => false }
    const before = Number.MAX_SAFE_INTEGER
    expect(await pruneProcesses(stage.registry, { before }, options)).toMatchObject({ prunedProcesses: 1 })
    expect(await ids(stage)).toEqual(['b', 'c'])
    expect(await pruneProcesses(stage.registry, { before })).toMatchObject({ prunedProcesses: 2 })
    expect(await compactTombstones(stage.registry, before, options)).toBe(1)
    expect(await compactTombstones(stage.registry, before, { pageSize: 1 })).toBe(2)
    expect(await compactTombstones(stage.registry, before)).toBe(0)
  })
})

describe('a worker', () => {
  test('prunes by its retention as it starts, and forgets tombstones by theirs', async () => {
    const { clock, stage, addPruner } = openAged()
    await end(stage, 'old')
    clock.advance(2 * DAY)
    await end(stage, 'fresh')
    clock.advance(1)
    const pruner = addPruner({ processesMs: DAY, tombstonesMs: 5 * DAY })
    pruner.start()
    await pruner.stop()
    expect(await ids(stage)).toEqual(['fresh'])
    expect(await stage.registry.tombstone('old')).toMatchObject({ status: 'completed' })
    clock.advance(6 * DAY)
    pruner.start()
    await pruner.stop()
    expect(await ids(stage)).toEqual([])
    expect(await stage.registry.tombstone('old')).toBeUndefined()
    expect(await stage.registry.tombstone('fresh')).toBeDefined()
  })

  test('prunes again and again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { clock, stage, addPruner } = openAged()
    addPruner({ processesMs: DAY }).start()
    await end(stage, 'old')
    clock.advance(DAY + 1)
    await vi.advanceTimersByTimeAsync(3_600_000)
    await expect.poll(() => ids(stage)).toEqual([])
  })

  test('without a retention prunes nothing', async () => {
    const { clock, stage, addPruner } = openAged()
    await end(stage, 'old')
    clock.advance(10_000 * DAY)
    const pruner = addPruner({})
    pruner.start()
    await pruner.stop()
    expect(await ids(stage)).toEqual(['old'])
  })

  test('leaves it to the one that prunes already', async () => {
    const { clock, stage, addPruner } = openAged()
    const held = await stage.registry.claimDuty(
      'prune',
      { ...owner('ben'), liveness: { kind: 'opaque' } },
      { ttlMs: DAY },
    )
    await end(stage, 'old')
    clock.advance(DAY / 2)
    const pruner = addPruner({ processesMs: 60_000 })
    pruner.start()
    await pruner.stop()
    expect(await ids(stage)).toEqual(['old'])
    if (held.type === 'acquired') await stage.registry.release(held.lease)
    pruner.start()
    await pruner.stop()
    expect(await ids(stage)).toEqual([])
  })

  test.each([
    { processesMs: 0 },
    { processesMs: 59_999 },
    { tombstonesMs: 1.5e6 + 0.5 },
    { tombstonesMs: Number.NaN },
  ])('is refused the retention %j', retention => {
    const { addPruner } = openAged()
    expect(() => addPruner(retention)).toThrow(errorWith('host_invalid'))
  })
})
