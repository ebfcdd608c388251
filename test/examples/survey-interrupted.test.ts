import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readLedger } from '../../examples/survey/ledger.ts'
import { sqliteRegistry } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { manyFiles } from './survey-folder.ts'
import { runSurvey, startSurvey } from './survey-program.ts'

/** Enough that it is not over before the signal has arrived. */
const FILES = 2_000

test('a Ctrl-C in the middle stops everything, and the next start goes on from there', async () => {
  const data = await temporaryFolder()
  const args = ['--data', data, '--dir', await manyFiles(FILES), '--id', 'stopped']
  const first = startSurvey(args)
  await first.line('10 %')
  first.signalGroup('SIGINT')
  const stopped = await first.ended
  expect(stopped).toMatchObject({ code: 130, stderr: '' })
  expect(stopped.stdout).toContain('the next start goes on from here')
  expect(stopped.stdout).not.toContain('completed')

  const registry = await sqliteRegistry({ path: join(data, 'leasehold.db') }).open()
  onTestFinished(() => registry.close())
  const steps = async () => (await registry.journal('stopped')).filter(entry => entry.kind === 'step')
  const before = await steps()
  expect(await registry.get('stopped')).toMatchObject({ status: 'running', attempts: 1 })
  // Drained: the lease was given back, so nobody has to prove anything dead.
  expect(await registry.getLease('stopped')).toBeUndefined()

  const second = await runSurvey(args)
  expect(second).toMatchObject({ code: 0, stderr: '' })
  expect(second.stdout).toContain('going on after')
  expect(second.stdout).toContain(`completed: ${FILES.toLocaleString('en')} files`)
  // What the first run journaled stands as the first run wrote it.
  expect((await steps()).slice(0, before.length)).toEqual(before)
  expect(await readLedger(join(data, 'survey-ledger.jsonl'))).toHaveLength(1)
})

test('a worker that is killed is said to be gone, and the next start goes on after it', async () => {
  const data = await temporaryFolder()
  const args = ['--data', data, '--dir', await manyFiles(FILES), '--id', 'killed']
  const first = startSurvey(args)
  await first.line('10 %')
  const registry = await sqliteRegistry({ path: join(data, 'leasehold.db') }).open()
  onTestFinished(() => registry.close())
  const owner = (await registry.get('killed'))?.firstStarted?.owner.liveness
  if (owner?.kind !== 'local_process') throw new Error('this system cannot tell whether a process is dead')
  process.kill(owner.pid, 'SIGKILL')
  const { code, stderr } = await first.ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: worker_failed: [^\n]+\n$/)

  const second = await runSurvey(args)
  expect(second).toMatchObject({ code: 0, stderr: '' })
  expect(second.stdout).toContain('in 2 attempts')
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} before the survey has begun leaves nothing that the next start minds`, async () => {
    const args = ['--data', await temporaryFolder(), '--dir', await manyFiles(3)]
    const first = startSurvey(args)
    await first.line('Starting a Temporal server')
    first.signalGroup(signal)
    expect(await first.ended).toMatchObject({ code, stderr: '' })
    expect(await runSurvey(args)).toMatchObject({ code: 0, stderr: '' })
  })
}
