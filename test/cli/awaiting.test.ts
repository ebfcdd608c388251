import { describe, expect, test } from 'vitest'
import { jsonError, openWorkspace } from './fixtures.ts'
import { end, OUTCOMES, registerExternal } from './records.ts'

async function withProcess() {
  const workspace = await openWorkspace()
  const registry = await workspace.openRegistry()
  await registerExternal(registry, 'job')
  return { ...workspace, registry }
}

describe('await', () => {
  test.each(OUTCOMES)('of $outcome.status exits with $exit', async ({ outcome, exit, says }) => {
    const { cli, registry } = await withProcess()
    await end(registry, 'job', outcome)
    const forPeople = await cli(['await', 'job'])
    expect(forPeople).toMatchObject({ code: exit, stderr: '' })
    expect(forPeople.stdout).toContain(outcome.status)
    expect(forPeople.stdout).toContain(says)
    const forPrograms = await cli(['await', 'job', '--json'])
    expect(forPrograms.code).toBe(exit)
    expect(JSON.parse(forPrograms.stdout)).toEqual(outcome)
  })

  test('waits for a process that another program ends', async () => {
    const { start, registry } = await withProcess()
    const awaiting = start(['await', 'job'])
    await end(registry, 'job', { status: 'completed', value: 'late' })
    expect(await awaiting.ended).toMatchObject({ code: 0, stdout: 'status  completed\nvalue   "late"\n' })
  })

  test('exits with 13 when the time is up', async () => {
    const { cli } = await withProcess()
    expect(await cli(['await', 'job', '--timeout', '50ms'])).toEqual({
      code: 13,
      stdout: 'status  running (still, after 50ms)\n',
      stderr: '',
    })
    expect(await cli(['await', 'job', '--timeout', '0s', '--json'])).toEqual({
      code: 13,
      stdout: '{"status":"running"}\n',
      stderr: '',
    })
  })

  test.each(['soon', '5', '-5s', '1w', '99d', ''])('refuses a timeout of %j', async timeout => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    const ended = await cli(['await', 'job', '--timeout', timeout, '--json'])
    expect(ended.code).toBe(2)
    expect(jsonError(ended)).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('500ms, 30s, 5m, 2h'),
    })
  })
})
