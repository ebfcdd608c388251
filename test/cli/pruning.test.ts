import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { jsonError, openWorkspace } from './fixtures.ts'
import { end, register, registerExternal } from './records.ts'

const COMPLETED = { status: 'completed', value: 1 } as const

/** The cutoff is the moment at which the command asks, and it is exclusive: no event but the clock's next millisecond. */
async function untilPast(registry: ProcessRegistry, id: string): Promise<void> {
  const { updatedAtMs } = await registry.requireRecord(id)
  // The event is the clock's next millisecond, and clocks tell nobody.
  while ((await registry.now()) <= updatedAtMs) await sleep(1)
}

/** Two that ended, one that runs. */
async function withEnded() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  for (const id of ['a', 'b']) await registerExternal(registry, id)
  await end(registry, 'a', COMPLETED)
  await end(registry, 'b', { status: 'cancelled', message: 'enough' })
  await register(registry, 'running')
  await untilPast(registry, 'b')
  return { ...workspace, registry }
}

describe('prune', () => {
  test('deletes what has ended before the time, and says how much', async () => {
    const { cli, registry } = await withEnded()
    const { code, stdout, stderr } = await cli(['prune', '--before', '0s'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Pruned 2 processes that changed last before \d{4}-\S+Z, with 2 events\.\n$/)
    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.get('running')).toBeDefined()
  })

  test('deletes nothing that is younger', async () => {
    const { cli, registry } = await withEnded()
    expect((await cli(['prune', '--before', '1h'])).stdout).toMatch(/^Pruned 0 processes /)
    expect(await registry.get('a')).toBeDefined()
  })

  test('answers as one JSON document, and takes only what fits', async () => {
    const { cli, registry } = await withEnded()
    const { stdout } = await cli([
      'prune',
      '--before',
      '0s',
      '--status',
      'cancelled',
      '--kind',
      'external',
      '--json',
    ])
    expect(JSON.parse(stdout)).toEqual({
      before: expect.any(Number),
      prunedProcesses: 1,
      prunedEvents: 1,
      keptProcesses: 0,
      kept: [],
      collectedBlobs: { count: 0, bytes: 0 },
    })
    expect(await registry.get('a')).toBeDefined()
    expect((await cli(['prune', '--before', '0s', '--kind', 'survey'])).stdout).toMatch(/^Pruned 0 processes/)
  })

  test('names what it keeps, and why', async () => {
    const { cli, registry } = await withEnded()
    const on = { type: 'event', processId: 'a', eventType: 'process.waiting', after: 0 } as const
    await registry.setWait('running', { key: 'w', sinceMs: 1, on })
    const { stdout } = await cli(['prune', '--before', '0s'])
    expect(stdout).toMatch(/^Pruned 1 process .*\nkept {2}a: another process waits for it\n$/)
  })

  test('says in a dry run what would go and what would be kept, and deletes nothing', async () => {
    const { cli, registry } = await withEnded()
    const on = { type: 'event', processId: 'a', eventType: 'process.waiting', after: 0 } as const
    await registry.setWait('running', { key: 'w', sinceMs: 1, on })
    const change = await registry.latestChange()
    const { code, stdout } = await cli(['prune', '--before', '0s', '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Would prune 1 process that changed last before \d{4}-\S+Z\. Nothing was deleted\.\ngoes {2}b\nkept {2}a: another process waits for it\n$/,
    )
    const json = await cli(['prune', '--before', '0s', '--dry-run', '--status', 'completed', '--json'])
    expect(JSON.parse(json.stdout)).toEqual({
      before: expect.any(Number),
      dryRun: true,
      prunableProcesses: 0,
      prunable: [],
      keptProcesses: 1,
      kept: [{ id: 'a', reason: 'awaited' }],
    })
    expect(await registry.latestChange()).toEqual(change)
    expect((await cli(['prune', '--before', '0s', '--dry-run', '--tombstones-before', '0s'])).code).toBe(2)
    expect(await registry.get('b')).toBeDefined()
  })

  test('collects the large payloads that nothing refers to any more', async () => {
    const { cli, registry } = await withEnded()
    await registerExternal(registry, 'c')
    await end(registry, 'c', { status: 'completed', value: 'x'.repeat(100 * 1024 - 2) })
    await untilPast(registry, 'c')
    const { stdout } = await cli(['prune', '--before', '0s'])
    expect(stdout).toMatch(/^Pruned 3 .*\nCollected 1 large payload: 100 KiB\.\n$/)
  })

  test('forgets tombstones only when asked', async () => {
    const { cli, registry } = await withEnded()
    await cli(['prune', '--before', '0s'])
    expect(await registry.tombstone('a')).toMatchObject({ status: 'completed' })
    const { stdout } = await cli(['prune', '--before', '0s', '--tombstones-before', '0s'])
    expect(stdout).toMatch(/^Pruned 0 .*\nForgot 2 tombstones\.\n$/)
    expect(await registry.tombstone('a')).toBeUndefined()
  })

  test('refuses a time in the future, and deletes nothing', async () => {
    const { cli, registry } = await withEnded()
    const ended = await cli(['prune', '--before', '2999-01-01', '--json'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(jsonError(ended).message).toContain('lies in the future')
    expect(await registry.get('a')).toBeDefined()
  })
})

describe('a process that was pruned', () => {
  test.each(['show', 'events', 'events --follow', 'steps', 'await', 'cancel', 'explain'])(
    'is process_no_longer_retained for %s, exit 3',
    async command => {
      const { cli } = await withEnded()
      await cli(['prune', '--before', '0s'])
      const ended = await cli([...command.split(' '), 'a', '--json'])
      expect(ended.code).toBe(3)
      expect(jsonError(ended)).toMatchObject({
        code: 'process_no_longer_retained',
        processId: 'a',
        status: 'completed',
        prunedAtMs: expect.any(Number),
      })
      expect(ended.stdout).toBe('')
    },
  )
})
