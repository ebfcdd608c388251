import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The example as a process of its own, with its scripted model. */
async function runExample(name: string, args: readonly string[]) {
  const main = fileURLToPath(new URL(`../../examples/${name}/main.ts`, import.meta.url))
  const { AI_GATEWAY_API_KEY: _, ...env } = process.env
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [[code], stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}

test('refund-agent --crash: killed while people are asked and while the bank is paying, it pays once', async () => {
  const data = await temporaryFolder()
  const { code, stdout, stderr } = await runExample('refund-agent', ['--crash', '--data', data])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/Payments for it in the bank’s book +1 +yes/)
  expect(stdout).toMatch(/Calls of the scripted model +3 +yes/)
  expect(stdout.match(/SIGKILL to worker/g)).toHaveLength(2)
})

test('refund-agent answers from the record where the id is known', async () => {
  const data = await temporaryFolder()
  const args = ['--id', 'letter-1', '--approve', 'ana', '--data', data]
  expect((await runExample('refund-agent', args)).code).toBe(0)
  const { code, stdout } = await runExample('refund-agent', args)
  expect(code).toBe(0)
  expect(stdout).not.toContain('Allowed by')
  expect(stdout).toMatch(/Payments for it in the bank’s book +1 +yes/)
  expect(stdout).toMatch(/Calls of the scripted model +0 +yes/)
})

test('coding-agent --crash: killed in one call of its model after the other, it mends the bug', async () => {
  const data = await temporaryFolder()
  const { code, stdout, stderr } = await runExample('coding-agent', ['--crash', '--data', data])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/The tests of the copy pass +pass +yes/)
  expect(stdout.match(/SIGKILL to worker/g)?.length).toBeGreaterThan(2)
})

test('research-agent --crash: killed while three readers work, it starts none of them twice', async () => {
  const data = await temporaryFolder()
  const { code, stdout, stderr } = await runExample('research-agent', ['--crash', '--data', data])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/Readers started, and completed +3, 3 +yes/)
  expect(stdout).toContain('A kettle of 2,000 watts')
  expect(stdout).toMatch(/SIGKILL to worker/)
})

test('an unknown option is told in one line, with the options that there are', async () => {
  const { code, stderr } = await runExample('coding-agent', ['--frob'])
  expect(code).toBe(2)
  expect(stderr).toContain("error: usage: Unknown option '--frob'")
  expect(stderr).toContain('--crash')
})
