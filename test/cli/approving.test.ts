import { expect, test } from 'vitest'
import { approval, owner, registration } from '../model/fixtures.ts'
import { openWorkspace } from './fixtures.ts'

async function openAsking(approvers = 1) {
  const workspace = await openWorkspace()
  const { id } = workspace
  const registry = await workspace.openRegistry()
  await registry.register(registration({ id }))
  const begun = await registry.beginAttempt(id, { worker: owner('ana'), attempt: 'one', ttlMs: 60_000 })
  if (begun.type !== 'run') return expect.fail(begun.type)
  await registry.requestApproval(begun.lease, { key: 'k', approval: { ...approval, approvers } })
  const on = { type: 'external_key', key: 'k' } as const
  await registry.park(begun.lease, [{ key: 'w', sinceMs: 1, on }])
  return { ...workspace, registry }
}

test('a call that waits for people is listed, and approved by one of them', async () => {
  const { cli, registry, id } = await openAsking()
  const listed = await cli(['approvals'])
  expect(listed.stdout).toMatch(/^PROCESS +CALL +TOOL +YES +SINCE +UNTIL +ARGUMENTS\n/)
  expect(listed.stdout).toContain('{"euros":5}')
  expect(await cli(['approve', id, 'call-1', '--by', 'ana', '--digest', 'digest'])).toMatchObject({
    code: 0,
    stdout: `Call call-1 of process ${id}: approved by ana. The process was parked for it, and goes on.\n`,
  })
  expect(await registry.pendingCall('k')).toMatchObject({ answer: { status: 'success' } })
  expect(await cli(['approvals', id])).toMatchObject({ stdout: 'No call waits for approval.\n' })
})

test('the only call of a process needs no name, and a person who says the same again changes nothing', async () => {
  const { cli, id } = await openAsking(2)
  const { stdout } = await cli(['approve', id, '--by', 'ana', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ call: 'call-1', verdict: 'approve', type: 'answered' })
  expect(await cli(['approve', id, '--by', 'ana'])).toMatchObject({
    code: 0,
    stdout: 'ana has said so before; call call-1 is as it was.\n',
  })
  const listed = JSON.parse((await cli(['approvals', '--json'])).stdout)
  expect(listed).toMatchObject({ approvals: [{ approval: { votes: [{ by: 'ana' }] } }] })
})

test('a no is final, a call that nobody asked about is exit 3, and other arguments are a conflict', async () => {
  const { cli, id } = await openAsking()
  expect(await cli(['deny', id, 'other', '--by', 'ana'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('waits for approval of these calls: call-1'),
  })
  expect(await cli(['approve', id, '--by', 'ana', '--digest', 'another'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('error: approval_mismatch: '),
  })
  expect(await cli(['deny', id, '--by', 'ben', '--reason', 'too much'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('denied by ben'),
  })
  expect(await cli(['approve', id, 'k', '--by', 'ana'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('was denied; the first no stays'),
  })
})
