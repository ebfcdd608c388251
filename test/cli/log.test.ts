import { expect, test } from 'vitest'
import { openWorkspace } from './fixtures.ts'

const MEMBERS = `
  engines: {
    talk: defineEngine({
      disposition: 'rerunnable',
      run: ctx => ctx.step('say', () => { ctx.log.warn('look here', { what: 1 }); ctx.log.debug('and here') }),
    }),
  }`

async function logOf(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const workspace = await openWorkspace()
  const env = { LEASEHOLD_HOST: await workspace.writeHost(MEMBERS), ...variables }
  const dev = workspace.start(['dev', '--inline', ...args], { env })
  await dev.line(args.includes('--json') ? 'registryId' : 'kinds')
  const ended = await workspace.cli(['start', 'talk', '--id', 'p', '--inline', '--wait'], { env })
  expect(ended.code).toBe(0)
  dev.child.kill('SIGINT')
  return (await dev.ended).stderr.split('\n')
}

test('with --json each line of a worker’s log is JSON, with the ids of what it tells of', async () => {
  const lines = await logOf(['--json'])
  expect(JSON.parse(lines.find(line => line.includes('look here')) ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    workerId: expect.stringMatching(/^worker:/),
    processId: 'p',
    attempt: 1,
    what: 1,
    message: 'look here',
  })
  expect(lines.join()).not.toContain('and here')
})

test('LEASEHOLD_LOG_LEVEL says how much', async () => {
  expect((await logOf(['--json'], { LEASEHOLD_LOG_LEVEL: 'debug' })).join()).toContain('and here')
})

test('a level that there is not is refused', async () => {
  const { cli, writeHost } = await openWorkspace()
  const env = { LEASEHOLD_HOST: await writeHost(MEMBERS), LEASEHOLD_LOG_LEVEL: 'loud' }
  const { code, stderr } = await cli(['dev', '--inline', '--json'], { env })
  expect(code).toBe(2)
  expect(stderr).toContain('is one of debug, info, warn, error; found')
})

test('for people a line has the same ids in plain words', async () => {
  const lines = await logOf([])
  expect(lines.find(line => line.includes('look here'))).toMatch(
    /^warn: look here workerId=worker:\S+ processId=p attempt=1 what=1$/,
  )
})
