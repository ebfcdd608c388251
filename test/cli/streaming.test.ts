import { describe, expect, test } from 'vitest'
import type { ProcessLease } from '../../src/model/lease.ts'
import { lengthOf, type StreamContent } from '../../src/model/stream.ts'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { owner } from '../model/fixtures.ts'
import { openWorkspace } from './fixtures.ts'
import { register } from './records.ts'

async function append(
  registry: ProcessRegistry,
  lease: ProcessLease,
  from: number,
  content: StreamContent,
): Promise<void> {
  const { processId, fencingToken: fence } = lease
  const place = { processId, channel: 'text', from, to: from + lengthOf(content) }
  await registry.appendToStreams(lease, [
    { ...place, epoch: 0, attempt: 1, fence, content, writtenAtMs: Date.now() },
  ])
}

/** A running process that has said something. */
async function openTelling() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  await register(registry, workspace.id)
  const begun = await registry.beginAttempt(workspace.id, {
    worker: owner('ana'),
    attempt: 'a',
    ttlMs: 600_000,
  })
  if (begun.type !== 'run') throw new Error(`the attempt came to ${begun.type}`)
  const { lease } = begun
  await append(registry, lease, 0, { deltas: ['Once', { upon: 'a\u001b[31m' }, 'time'] })
  await append(registry, lease, 3, { retracted: [{ from: 1, to: 3 }] })
  return { ...workspace, registry, lease }
}

describe('stream', () => {
  test('prints a channel from an offset, in lines and as one document', async () => {
    const { cli, id } = await openTelling()
    expect(await cli(['stream', id, 'text'])).toMatchObject({
      code: 0,
      stdout: '#0  "Once"\n#1  {"upon":"a\\u001b[31m"}\n#2  "time"\n#3  attempt 1 takes back #1 to #2\n',
    })
    const { stdout } = await cli(['stream', id, 'text', '--from', '2', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      entries: [
        { type: 'delta', offset: 2, attempt: 1, data: 'time' },
        { type: 'attempt_reset', offset: 3, attempt: 1, retracted: [{ from: 1, to: 3 }] },
      ],
    })
  })

  test('without a channel lists those there are', async () => {
    const { cli, id } = await openTelling()
    expect((await cli(['stream', id])).stdout).toBe('CHANNEL  ENTRIES\ntext     4\n')
    const { stdout } = await cli(['stream', id, '--json'])
    expect(JSON.parse(stdout)).toEqual({ channels: [{ channel: 'text', next: 4 }] })
  })

  test('--follow goes on with what another OS process says, until the process has ended', async () => {
    const { start, registry, lease, id } = await openTelling()
    const following = start(['stream', id, 'text', '--follow', '--from', '3'])
    await following.line('#3')
    await append(registry, lease, 4, { deltas: ['later'] })
    await following.line('#4  "later"')
    await registry.completeWithLease(lease, { status: 'completed', value: null })
    expect(await following.ended).toMatchObject({ code: 0 })
  })

  test.each([
    { given: ['--follow'], exit: 2, code: 'usage' },
    { given: ['--from', '0'], exit: 2, code: 'usage' },
    { given: ['text', '--from', 'x'], exit: 2, code: 'usage' },
    { given: [' '], exit: 2, code: 'usage' },
  ])('$given is refused', async ({ given, exit, code }) => {
    const { cli, id } = await openTelling()
    expect(await cli(['stream', id, ...given])).toMatchObject({
      code: exit,
      stderr: expect.stringContaining(`error: ${code}: `),
    })
  })

  test('of a process that is not there says so', async () => {
    const { cli } = await openTelling()
    expect(await cli(['stream', 'ghost', 'text'])).toMatchObject({ code: 3 })
  })
})
