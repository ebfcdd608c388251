import { describe, expect, test } from 'vitest'
import { type CliEnd, jsonError, openWorkspace } from './fixtures.ts'

const MEMBERS = `
  engines: {
    greet: defineEngine({
      disposition: 'rerunnable',
      input: z.object({ name: z.string() }),
      run: ctx => 'hello ' + ctx.input.name,
    }),
    fail: defineEngine({ disposition: 'rerunnable', run() { throw new ProcessFailure('no_disk', 'the disk is full') } }),
    endless: defineEngine({
      disposition: 'rerunnable',
      run: ctx => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
    }),
  },
  tools: {
    add: defineTool({ inputSchema: z.object({ a: z.number() }), execute: ({ a }) => a + 1 }),
  }`

async function withHost() {
  const workspace = await openWorkspace()
  const file = await workspace.writeHost(MEMBERS)
  const env = { LEASEHOLD_HOST: file }
  return {
    ...workspace,
    env,
    /** `leasehold start` with this host; no worker runs unless the test starts one. */
    start: (args: readonly string[], options: { readonly stdin?: string; readonly env?: object } = {}) =>
      workspace.cli(['start', ...args], { ...options, env: { ...env, ...options.env } }),
    launch: (args: readonly string[]) => workspace.start(args, { env }),
  }
}

const GREET = ['greet', '--input', '{"name":"ana"}']

const recordOf = ({ stdout }: CliEnd) => JSON.parse(stdout)

describe('start', () => {
  test('registers the process, submits it, and prints its record', async () => {
    const { start, id } = await withHost()
    const flags = ['--id', id, '--label', 'first', '--max-attempts', '3']
    const { code, stdout, stderr } = await start([...GREET, ...flags])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(
      `Started process ${id}.\nid           ${id}\nkind         greet\nlabel        first\n`,
    )
    expect(stdout).toContain('attempts     0 of at most 3\n')
    expect(stdout).toContain(`runs on      temporal, as ${id}\n`)
  })

  test('the same again starts nothing', async () => {
    const { start, id } = await withHost()
    const again = [...GREET, '--id', id]
    expect(recordOf(await start([...again, '--json']))).toMatchObject({
      id,
      status: 'running',
      started: true,
    })
    expect(recordOf(await start([...again, '--json']))).toMatchObject({ id, started: false })
    expect((await start(again)).stdout).toContain(`Process ${id} exists already; nothing was started.\n`)
  })

  test('refuses an id whose workflow belongs to another registry: workflow_id_taken, exit 4', async () => {
    const [mine, theirs] = [await withHost(), await withHost()]
    await theirs.start([...GREET, '--id', mine.id])
    const ended = await mine.start([...GREET, '--id', mine.id, '--json'])
    expect(ended.code).toBe(4)
    expect(jsonError(ended).code).toBe('workflow_id_taken')
  })

  test('makes an id where none is given', async () => {
    const { start } = await withHost()
    expect(recordOf(await start(['endless', '--json'])).id).toMatch(/^[\da-f]{8}-/)
  })

  test.each([
    { title: 'a file', input: '@input.json', stdin: undefined },
    { title: 'standard input', input: '-', stdin: '{"name": "ana"}' },
  ])('takes its input from $title', async ({ input, stdin }) => {
    const { start, write } = await withHost()
    await write('input.json', '{"name": "ana"}')
    const ended = await start(['greet', '--input', input, '--json'], stdin === undefined ? {} : { stdin })
    expect(recordOf(ended).input).toEqual({ type: 'engine', kind: 'greet', payload: { name: 'ana' } })
  })

  test('starts a tool call and work of somebody else', async () => {
    const { start } = await withHost()
    const call = [
      'tool_call',
      '--input',
      '{"tool":"add","args":{"a":1}}',
      '--disposition',
      'rerunnable',
      '--json',
    ]
    expect(recordOf(await start(call))).toMatchObject({ identity: { kind: 'tool', label: 'add' } })
    expect(recordOf(await start(['external', '--json']))).toMatchObject({ disposition: 'externally_owned' })
  })

  const CONFLICTS = [
    { title: 'another kind', args: ['endless'] },
    { title: 'another input', args: ['greet', '--input', '{"name":"ben"}'] },
    { title: 'another disposition', args: [...GREET, '--disposition', 'owner_bound'] },
  ]

  test.each(CONFLICTS)('refuses the same id with $title: exit 4', async ({ title, args }) => {
    const { start, id } = await withHost()
    await start([...GREET, '--id', id])
    const ended = await start([...args, '--id', id, '--json'])
    expect(ended).toMatchObject({ code: 4, stdout: '' })
    expect(jsonError(ended)).toMatchObject({
      code: 'process_registration_conflict',
      message: expect.stringContaining(title),
      processId: id,
    })
  })

  const REFUSED = [
    { title: 'an unknown engine', args: ['fly'], code: 'process_kind_unknown' },
    {
      title: 'an unknown tool',
      args: ['tool_call', '--input', '{"tool":"fly"}'],
      code: 'process_tool_unknown',
    },
    { title: 'no tool at all', args: ['tool_call'], code: 'process_tool_unknown' },
    {
      title: 'an input that fits no schema',
      args: ['greet', '--input', '{"name":7}'],
      code: 'process_input_invalid',
    },
    { title: 'a missing input', args: ['greet'], code: 'process_input_invalid' },
    { title: 'an input that is not JSON', args: ['greet', '--input', '{name: ana}'], code: 'usage' },
    { title: 'an empty input', args: ['greet', '--input', ''], code: 'usage' },
    {
      title: 'an input file that is not there',
      args: ['greet', '--input', '@nowhere.json'],
      code: 'usage',
    },
    { title: 'a blank id', args: ['endless', '--id', ' '], code: 'process_registration_invalid' },
    { title: 'an empty id', args: ['endless', '--id', ''], code: 'process_registration_invalid' },
    {
      title: 'an over-long id',
      args: ['endless', '--id', 'é'.repeat(257)],
      code: 'process_registration_invalid',
    },
    {
      title: 'an id with #',
      args: ['endless', '--id', 'a#b'],
      code: 'process_registration_invalid',
    },
    {
      title: 'a tool call without disposition',
      args: ['tool_call', '--input', '{"tool":"add","args":{"a":1}}'],
      code: 'disposition_required',
    },
    {
      title: 'a disposition that is not narrower',
      args: ['endless', '--disposition', 'externally_owned'],
      code: 'disposition_not_narrower',
    },
  ]

  test.each(REFUSED)('refuses $title: $code, exit 2', async ({ args, code }) => {
    const { start } = await withHost()
    const ended = await start(args)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(new RegExp(`^error: ${code}: [A-Z].*\\.\n$`))
  })

  test('without a server registers the process all the same, and says that it starts later: exit 5', async () => {
    const { start, cli, id } = await withHost()
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:9' }
    const ended = await start([...GREET, '--id', id, '--json'], { env })
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'temporal_unreachable', processId: id })
    expect(jsonError(ended).message).toContain('stays registered')
    expect((await cli(['show', id])).code).toBe(0)
  })
})

test('start in a namespace that is not there says so, and registers the process all the same: exit 2', async () => {
  const { start } = await withHost()
  const ended = await start([...GREET, '--json'], { env: { TEMPORAL_NAMESPACE: 'nowhere' } })
  expect(ended.code).toBe(2)
  expect(jsonError(ended)).toMatchObject({
    code: 'temporal_namespace_unknown',
    namespace: 'nowhere',
  })
})

describe('start --wait', () => {
  test.each([
    { args: GREET, exit: 0, says: 'value   "hello ana"', status: 'completed' },
    { args: ['fail'], exit: 10, says: 'no_disk: the disk is full', status: 'failed' },
  ])('of what ends as $status exits with $exit', async ({ args, exit, says, status }) => {
    const { start, launch, id } = await withHost()
    launch(['worker'])
    const ended = await start([...args, '--id', id, '--wait'])
    expect(ended).toMatchObject({ code: exit, stderr: '' })
    expect(ended.stdout).toContain(says)
    const json = await start([...args, '--id', id, '--wait', '--json'])
    expect(json.code).toBe(exit)
    expect(recordOf(json)).toMatchObject({ started: false, outcome: { status } })
  })

  test('that is interrupted leaves the process running, and says how to wait again', async () => {
    const { launch, cli, id } = await withHost()
    const starting = launch(['start', 'endless', '--id', id, '--wait'])
    await starting.line('status')
    const { code, stderr } = await starting.insist('SIGINT')
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: `Process ${id} goes on; leasehold await ${id} waits for it again.\n`,
    })
    expect((await cli(['list', '--json'])).stdout).toContain(id)
  })
})
