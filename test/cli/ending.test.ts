import { describe, expect, test } from 'vitest'
import { owner } from '../model/fixtures.ts'
import { jsonError, openWorkspace } from './fixtures.ts'
import { end, register, registerExternal } from './records.ts'

/** Nobody listens there. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:9' }

describe('abandon', () => {
  test('ends somebody else’s work at once, without a server or a worker (§6 #172)', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    const ended = await cli(['abandon', id, '--by', 'ana', '--reason', 'they left'], { env: NOWHERE })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toBe(
      `Request to abandon process ${id} recorded.\nIt ended as abandoned (reconciled_request). The first outcome stays.\n`,
    )
    const record = await registry.get(id)
    expect(record).toMatchObject({
      status: 'abandoned',
      abandonRequest: { requestedBy: 'ana', reason: 'they left' },
    })
    expect(record?.outcome).not.toHaveProperty('evidence.owner')
  })

  test('of a silent process is recorded, and says who acts on it (§6 #175)', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await silent(registry, id)
    const { code, stdout } = await cli(['abandon', id, '--by', 'ana', '--json'], { env: NOWHERE })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      abandonRequest: { requestedBy: 'ana' },
      explanation: { state: 'to_be_abandoned' },
    })
    expect(await registry.msUntilDue()).toBe(0)
  })

  test('lists the silent ones, and no others', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await silent(registry, id)
    await register(registry, `${id}-other`)
    const { stdout } = await cli(['list', '--silent'])
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(stdout).toMatch(new RegExp(`^${id}  .*silent since .*$`, 'm'))
  })

  test('of a process that may run says that this ends nothing', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    await register(await openRegistry(), id)
    const { code, stdout } = await cli(['abandon', id, '--by', 'ana'], { env: NOWHERE })
    expect(code).toBe(0)
    expect(stdout).toContain('The request to abandon it ends no rerunnable process that may run: cancel it')
  })

  test('a second time leaves the first request', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await register(registry, id)
    await registry.requestAbandon(id, { requestedBy: 'ana' })
    const { stdout } = await cli(['abandon', id, '--by', 'ben'], { env: NOWHERE })
    expect(stdout).toMatch(/^ana asked to abandon process .* at .*; the first request stays\./)
  })

  test('is refused for a process that has ended, and for one that nobody knows', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    await end(registry, id, { status: 'completed', value: 1 })
    expect(await cli(['abandon', id, '--by', 'ana'])).toMatchObject({
      code: 4,
      stderr: `error: process_abandon_on_terminal: Process "${id}" already ended as completed; there is nothing to abandon.\n`,
    })
    expect(await cli(['abandon', 'nobody', '--by', 'ana'])).toMatchObject({ code: 3 })
  })
})

describe('complete', () => {
  test.each([
    { args: ['--success', '{"rows":7}'], outcome: { status: 'completed', value: { rows: 7 } } },
    { args: ['--success', 'null'], outcome: { status: 'completed', value: null } },
    {
      args: ['--failure', 'no such table', '--by', 'the importer'],
      outcome: { status: 'failed', class: 'external', code: 'process_failed', message: 'no such table' },
    },
  ])('$args ends somebody else’s work, with its authority in the log (§6 #84)', async ({ args, outcome }) => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    expect(await cli(['complete', id, ...args], { env: NOWHERE })).toMatchObject({ code: 0, stderr: '' })
    expect(await registry.get(id)).toMatchObject({ status: outcome.status, outcome })
    const grantedTo = args.includes('--by') ? 'the importer' : 'the command line'
    expect(await registry.eventsAfter(id, 0)).toMatchObject([
      { payload: { completion_authority: { authority: 'external_owner', grantedTo } } },
    ])
  })

  test('takes the value from standard input, and prints the record in JSON', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    const { stdout } = await cli(['complete', id, '--success', '-', '--json'], { stdin: '[1,2]' })
    expect(JSON.parse(stdout)).toEqual(await registry.get(id))
    expect(JSON.parse(stdout)).toMatchObject({ outcome: { value: [1, 2] } })
  })

  test('a second time with the same words changes nothing, with others it is refused (§6 #79)', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    await registerExternal(await openRegistry(), id)
    for (let time = 0; time < 2; time++)
      expect(await cli(['complete', id, '--success', '1'])).toMatchObject({ code: 0 })
    const refused = await cli(['complete', id, '--success', '2'])
    expect(refused).toMatchObject({ code: 4, stdout: '' })
    expect(refused.stderr).toBe(
      `error: process_already_terminal: Process "${id}" is already terminal: it ended as completed. The first outcome stays.\n`,
    )
  })

  test('is refused for work that runs here, and says what ends that (§6 #87)', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await register(registry, id)
    const refused = await cli(['complete', id, '--success', '1'])
    expect(refused.code).toBe(4)
    expect(refused.stderr).toBe(
      `error: process_authority_rejected: Authority "external_owner" may not write "completed" on process "${id}", which is rerunnable. Its own code ends it, under its lease: cancel it, or ask to abandon it, instead.\n`,
    )
    expect(await registry.get(id)).toMatchObject({ status: 'running', lastSequence: 0 })
  })

  test('is refused while somebody holds the lease', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    await registry.claim(id, owner('sweeper'), 600_000)
    const refused = await cli(['complete', id, '--success', '1', '--json'])
    expect(refused.code).toBe(4)
    expect(jsonError(refused)).toMatchObject({ code: 'process_lease_busy', holder: 'sweeper', fence: 1 })
  })
})

/** Owner-bound, begun, and its lease lapsed at once. */
async function silent(registry: Awaited<ReturnType<Workspace['openRegistry']>>, id: string): Promise<void> {
  const worker = { ...owner('elsewhere'), liveness: { kind: 'opaque' } as const }
  await registry.register({
    id,
    input: { type: 'engine', kind: 'survey', payload: null },
    disposition: 'owner_bound',
    provenance: { originator: { type: 'host' } },
    envRef: 'process-env:sha256:00',
  })
  const begun = await registry.beginAttempt(id, { worker, attempt: 'attempt-1', ttlMs: 60_000 })
  if (begun.type !== 'run') throw new Error(begun.type)
  await registry.enterBody(begun.lease, worker)
  await registry.endAttempt(begun.lease, 'shutdown')
  const answer = await registry.beginAttempt(id, { worker, attempt: 'attempt-2', ttlMs: 60_000 })
  expect(answer).toEqual({ type: 'silent' })
}

type Workspace = Awaited<ReturnType<typeof openWorkspace>>

describe('explain', () => {
  test('says in words who holds a process, why it waits, and what would move it', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await silent(registry, id)
    const { code, stdout } = await cli(['explain', id])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      new RegExp(
        `^${id}: silent\nHeld by nobody\\.\nIt is owner-bound and began at elsewhere, which has not been heard of since .*\nWhat would move it:\n- Its owner comes back and goes on\\.\n- Somebody gives it up: leasehold abandon ${id} --by WHO\n$`,
      ),
    )
  })

  test('is one JSON document where that is asked for', async () => {
    const { cli, openRegistry, id } = await openWorkspace()
    const registry = await openRegistry()
    await registerExternal(registry, id)
    await end(registry, id, { status: 'completed', value: 1 })
    expect(JSON.parse((await cli(['explain', id, '--json'])).stdout)).toEqual({
      id,
      state: 'ended',
      holder: 'Held by nobody, and never was.',
      why: 'It ended as completed. The first outcome stays.',
      moves: [],
    })
    expect((await cli(['explain', id])).stdout).toMatch(/Nothing will move it\.\n$/)
  })

  test('of an id that nobody knows is an error', async () => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    expect(await cli(['explain', 'nobody'])).toMatchObject({ code: 3, stdout: '' })
  })
})
