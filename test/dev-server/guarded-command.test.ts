import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGuarded } from '../../src/dev-server/guarded-command.ts'
import { temporaryFolder, untilGone, writeExecutable } from './fixtures.ts'

const STUBBORN = `process.on('SIGTERM', () => console.log('no'))
  setInterval(() => {}, 1000)
  console.log(process.ppid)`

async function startStubborn(graceMs: number) {
  const path = await writeExecutable(join(await temporaryFolder(), 'stubborn'), STUBBORN)
  const { promise: running, resolve } = Promise.withResolvers<string>()
  const command = startGuarded(path, [], { env: {}, graceMs, onStdout: resolve })
  return { command, guard: Number(await running) }
}

test('a command that ignores SIGTERM is killed after the grace', async () => {
  const { command } = await startStubborn(200)
  await command.stop()
  await untilGone(command.pid as number)
})

test('stop may come twice, at once, and after the end', async () => {
  const { command } = await startStubborn(200)
  await Promise.all([command.stop(), command.stop()])
  await command.stop()
  await expect(command.exited).resolves.toHaveProperty('stderr', '')
})

test('the command goes too when its guard is killed', async () => {
  const { command, guard } = await startStubborn(60_000)
  process.kill(guard, 'SIGKILL')
  await expect(command.exited).resolves.toMatchObject({ code: null })
  await untilGone(command.pid as number)
})

test.each([
  {
    title: 'its exit code and last words',
    script: 'console.error("why"); process.exit(3)',
    code: 3,
    stderr: 'why',
  },
  { title: '128 + n after signal n', script: 'process.kill(process.pid, "SIGKILL")', code: 137, stderr: '' },
])('the end of a command tells $title', async ({ script, code, stderr }) => {
  const path = await writeExecutable(join(await temporaryFolder(), 'command'), script)
  expect(await startGuarded(path, [], { env: {} }).exited).toEqual({ code, stderr })
})

test('a command that cannot be run says so', async () => {
  const exit = await startGuarded('/nowhere/at/all', [], { env: {} }).exited
  expect(exit).toEqual({ code: 127, stderr: expect.stringContaining('cannot run /nowhere/at/all') })
})

test('of a long standard error the first and the last lines are kept', async () => {
  const script = 'for (let i = 1; i <= 100; i++) console.error("line " + i)'
  const path = await writeExecutable(join(await temporaryFolder(), 'command'), script)
  const { stderr } = await startGuarded(path, [], { env: {} }).exited
  expect(stderr).toMatch(/^line 1\n.*line 10\nline 91\n.*line 100$/s)
})
