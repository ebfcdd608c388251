import { describe, expect, test } from 'vitest'
import { jsonError, openWorkspace } from './fixtures.ts'

describe('a command line that is wrong', () => {
  test.each([
    { args: ['frobnicate'], says: "Unknown command 'frobnicate'" },
    { args: ['shwo', 'x'], says: 'Did you mean show?' },
    { args: ['show'], says: "Missing required argument 'id'" },
    { args: ['show', 'a', 'b'], says: 'Too many arguments' },
    { args: ['show', 'a', '--frob'], says: "Unknown option '--frob'" },
    { args: ['list', '--status', 'odd'], says: 'Allowed choices are running' },
    { args: ['list', '--limit', '0'], says: 'a whole number from 1 to 1000' },
    { args: ['list', '--limit', '1001'], says: 'a whole number from 1 to 1000' },
    { args: ['list', '--limit', '1e2'], says: 'a whole number from 1 to 1000' },
    { args: ['events', 'a', '--after', '-1'], says: 'a whole number from 0' },
    { args: ['start', 'a', '--disposition', 'sometimes'], says: 'Allowed choices are rerunnable' },
    { args: ['start', 'a', '--max-attempts', 'many'], says: 'a whole number from 1' },
    { args: ['list', '--limit'], says: 'argument missing' },
    { args: ['abandon', 'a'], says: "Required option '--by <who>' not specified" },
    { args: ['complete', 'a'], says: 'either --success JSON or --failure MESSAGE' },
    { args: ['complete', 'a', '--success', '1', '--failure', 'no'], says: 'either --success JSON' },
    { args: ['complete', '--success', '1'], says: 'either a process id or --call KEY' },
    { args: ['complete', 'a', '--call', 'k', '--success', '1'], says: 'either a process id or --call KEY' },
    { args: ['complete', 'a', '--success', '{'], says: 'The value of --success is not JSON' },
    {
      args: ['complete', 'a', '--success', String.raw`"\ud800"`],
      says: 'found a string with a lone surrogate',
    },
    { args: ['signal', 'a', 'go', '{'], says: `Quote it for the shell, as in '{"dir": "."}'` },
    {
      args: ['resolve', 'a', 's', '--by', 'me', '--value', String.raw`["\udc00"]`],
      says: 'cannot be kept as it is: found a string with a lone surrogate at [0]',
    },
    { args: ['drain'], says: 'either --worker ID or --all-here' },
    { args: ['drain', '--all-here', '--timeout', 'soon'], says: 'A duration is a number' },
    { args: ['host-dead', 'h'], says: "Required option '--by <who>' not specified" },
    { args: ['prune'], says: "Required option '--before <time>' not specified" },
    { args: ['prune', '--before', 'yesterday'], says: 'neither a time nor how long ago' },
    { args: ['prune', '--before', '2026-10-01T12:00'], says: 'neither a time nor how long ago' },
    { args: ['prune', '--before', '1d', '--status', 'running'], says: 'Allowed choices are completed' },
    {
      args: ['prune', '--before', '1d', '--tombstones-before', '1'],
      says: 'The time "1" of --tombstones-before is neither',
    },
    { args: ['wakes'], says: "Missing required argument 'action'" },
    { args: ['wakes', 'drop'], says: 'Allowed choices are list, redrive' },
    { args: ['wakes', 'redrive'], says: 'Name the wakes to redrive' },
    { args: ['wakes', 'list', 'w'], says: 'Listing takes no ids; found 1.' },
    { args: ['worker'], says: 'No host module is named' },
    { args: ['start', 'a'], says: 'No host module is named' },
  ])('$args is told in our form, exit 2', async ({ args, says }) => {
    const { cli } = await openWorkspace()
    const { code, stdout, stderr } = await cli(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: usage: [A-Z].*\.\n$/)
    expect(stderr).toContain(says)
  })

  test('is told as JSON where that was asked for', async () => {
    const { cli } = await openWorkspace()
    const ended = await cli(['list', '--limit', 'few', '--json'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(jsonError(ended).code).toBe('usage')
  })

  test('without a command gets the help', async () => {
    const { cli } = await openWorkspace()
    const { code, stderr } = await cli([])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^Usage: leasehold .*error: usage: Name a command\.\n$/s)
  })
})

describe('a registry address', () => {
  test.each([
    { address: undefined, says: 'No registry is named' },
    { address: 'sqlite:', says: 'needs the path of its file' },
    { address: 'data/leasehold.db', says: 'write sqlite:' },
    { address: 'mysql://ana:hunter2@db/x', says: '"mysql"' },
    { address: 'postgres://ana:1/hunter2@db:5432/x', says: 'Percent-encode' },
    { address: 'postgresql://ana:hunter2', says: 'Percent-encode' },
    { address: 'ana:hunter2@db/x', says: 'sqlite:PATH' },
    { address: 'sqlite::memory:', says: 'needs the path of a file' },
  ])('$address is refused without showing a password', async ({ address, says }) => {
    const { cli } = await openWorkspace()
    for (const env of [{ LEASEHOLD_REGISTRY: address ?? '' }]) {
      const { code, stderr } = await cli(['list', '--debug'], { env })
      expect(code).toBe(2)
      expect(stderr).toMatch(/^error: usage: /)
      expect(stderr).toContain(says)
      expect(stderr).not.toContain('hunter2')
    }
  })

  test('of a PostgreSQL that cannot be reached is named without its password', async () => {
    const { cli } = await openWorkspace()
    const address = 'postgres://ana:hunter2@127.0.0.1:1/x?schema=mine'
    const { code, stderr } = await cli(['list', '--debug', '--registry', address])
    expect(code).toBe(5)
    expect(stderr).toMatch(
      /^error: registry_unavailable: .*postgres:\/\/ana@127\.0\.0\.1:1\/x \(schema mine\)/,
    )
    expect(stderr).not.toContain('hunter2')
  })

  test('by flag comes before the variable', async () => {
    const { cli, openRegistry, registryPath } = await openWorkspace()
    await openRegistry()
    const env = { LEASEHOLD_REGISTRY: 'postgres://elsewhere/x' }
    expect((await cli(['list', '--registry', `sqlite:${registryPath}`], { env })).code).toBe(0)
  })

  test('may be left to the host module', async () => {
    const { cli, openRegistry, writeHost } = await openWorkspace()
    await openRegistry()
    const file = await writeHost('')
    for (const [args, env] of [
      [['list', '--host', file], { LEASEHOLD_REGISTRY: '' }],
      [['list', '--host', file], { LEASEHOLD_REGISTRY: 'sqlite:another.db' }],
      [['list'], { LEASEHOLD_REGISTRY: '', LEASEHOLD_HOST: file }],
    ] as const) {
      expect(await cli(args, { env })).toMatchObject({ code: 0, stderr: '' })
    }
  })
})

describe('what the program says of itself', () => {
  test('--help is printed for people, with the exit codes', async () => {
    const { cli } = await openWorkspace()
    const { code, stdout, stderr } = await cli(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('13 still running at the timeout')
    for (const name of [
      'dev',
      'worker',
      'start',
      'show',
      'list',
      'events',
      'steps',
      'explain',
      'await',
      'cancel',
      'abandon',
      'complete',
      'sweep',
      'drain',
      'host-dead',
      'wakes',
      'doctor',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
    }
  })

  test('--version is the package’s', async () => {
    const { cli } = await openWorkspace()
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('a reader that goes away early ends a command quietly', async () => {
    const { start, openRegistry } = await openWorkspace()
    await openRegistry()
    const running = start(['list'])
    running.child.stdout?.destroy()
    expect((await running.ended.catch(() => ({ stderr: '' }))).stderr).toBe('')
  })
})
