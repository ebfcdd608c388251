import { describe, expect, test } from 'vitest'
import { owner, registration } from '../model/fixtures.ts'
import { openWorkspace } from './fixtures.ts'

const KEY = 'form-7'

async function openAsking() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  await registry.register(registration({ id: workspace.id }))
  const begun = await registry.beginAttempt(workspace.id, {
    worker: owner('ana'),
    attempt: 'one',
    ttlMs: 60_000,
  })
  if (begun.type !== 'run') return expect.fail(begun.type)
  await registry.openCall(begun.lease, { key: KEY })
  return { ...workspace, registry, lease: begun.lease }
}

describe('complete --call', () => {
  test.each([
    { args: ['--success', '{"ok":true}'], answer: { status: 'success', value: { ok: true } } },
    { args: ['--failure', 'declined'], answer: { status: 'failure', message: 'declined' } },
  ])('$args answers the tool call, once', async ({ args, answer }) => {
    const { cli, registry, id } = await openAsking()
    const given = ['complete', '--call', KEY, ...args]
    expect(await cli(given)).toMatchObject({ code: 0, stdout: `Process ${id} has its answer.\n` })
    expect(await registry.pendingCall(KEY)).toMatchObject({ answer })
    expect(await cli(given)).toMatchObject({ code: 0, stdout: `Process ${id} has had this answer before.\n` })
    expect(await cli(['complete', '--call', KEY, '--success', '0'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('error: tool_call_answered: '),
    })
  })

  test('tells that the process goes on, where it was parked for the answer', async () => {
    const { cli, registry, id, lease } = await openAsking()
    const on = { type: 'external_key', key: KEY } as const
    await registry.park(lease, [{ key: 'w', sinceMs: 1, on }])
    const { stdout } = await cli(['complete', '--call', KEY, '--success', '1', '--json'])
    expect(JSON.parse(stdout)).toEqual({ key: KEY, processId: id, type: 'answered' })
    expect((await registry.dueProcesses(10)).map(({ record }) => record.id)).toEqual([id])
  })

  test('under a key that nobody gave out is exit 3', async () => {
    const { cli } = await openAsking()
    expect(await cli(['complete', '--call', 'other', '--success', '1'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(
        'error: tool_call_unknown: No tool call is pending under the key "other"',
      ),
    })
  })
})
