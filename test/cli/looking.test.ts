import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import { journalEntry, owner } from '../model/fixtures.ts'
import { jsonError, openWorkspace } from './fixtures.ts'
import { end, register, registerExternal } from './records.ts'

// Only Linux, where CI runs, has a device that is always full.
test.skipIf(!existsSync('/dev/full'))('an answer that could not be written is no success', async () => {
  const { cli, openRegistry } = await openWorkspace()
  await register(await openRegistry(), 'survey-1')
  for (const command of ['show', 'explain']) {
    const { code, stderr } = await cli([command, 'survey-1'], { stdoutTo: '/dev/full' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: output_lost: .*ENOSPC/)
  }
})

describe('show', () => {
  test('prints the record in aligned lines', async () => {
    const { cli, openRegistry } = await openWorkspace()
    await register(await openRegistry(), 'survey-1')
    const { code, stdout, stderr } = await cli(['show', 'survey-1'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^id {11}survey-1\nkind {9}survey\ndisposition {2}rerunnable\ninput {8}\{"dir":"\."\}\n/,
    )
    expect(stdout).toMatch(/\nstatus {7}running\n$/)
  })

  test('prints the whole record as one JSON document', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    await register(registry, 'survey-1')
    const { stdout } = await cli(['show', 'survey-1', '--json'])
    expect(JSON.parse(stdout)).toEqual(await registry.get('survey-1'))
  })

  test('lets no control character of a label through to the terminal', async () => {
    const { cli, openRegistry } = await openWorkspace()
    const registry = await openRegistry()
    await registry.register({
      id: 'evil',
      input: { type: 'external', metadata: null },
      identity: { kind: 'external', label: 'red \u001b[31m, next\nline, \u009b31m' },
      disposition: 'externally_owned',
      provenance: { originator: { type: 'host' } },
    })
    const { stdout } = await cli(['show', 'evil'])
    expect(stdout).toContain('red \\u001b[31m, next\\nline')
    expect(stdout).toContain('\\u009b31m\n')
  })
})

describe('list', () => {
  async function withThree() {
    const workspace = await openWorkspace()
    const registry = await workspace.openRegistry()
    await register(registry, 'a')
    await registerExternal(registry, 'b')
    await registerExternal(registry, 'c')
    await end(registry, 'c', { status: 'completed', value: 1 })
    return { ...workspace, registry }
  }
  const ids = (stdout: string): string[] => JSON.parse(stdout).records.map(({ id }: { id: string }) => id)

  test('prints running processes in columns', async () => {
    const { cli } = await withThree()
    const { code, stdout } = await cli(['list'])
    expect(code).toBe(0)
    expect(stdout.split('\n').map(line => line.split(/\s{2,}/).toSpliced(4, 1))).toEqual([
      ['ID', 'KIND', 'STATUS', 'ATTEMPTS', 'NOTES'],
      ['a', 'survey', 'running', '0'],
      ['b', 'external', 'running', '0', 'theirs'],
      [''],
    ])
  })

  test.each([
    { flags: ['--status', 'any'], found: ['a', 'b', 'c'] },
    { flags: ['--status', 'completed'], found: ['c'] },
    { flags: ['--kind', 'external'], found: ['b'] },
    { flags: ['--silent'], found: [] },
    { flags: ['--waiting'], found: [] },
    { flags: ['--status', 'any', '--limit', '1', '--after', 'a'], found: ['b'] },
  ])('finds $found with $flags', async ({ flags, found }) => {
    const { cli } = await withThree()
    expect(ids((await cli(['list', '--json', ...flags])).stdout)).toEqual(found)
  })

  test('says where the next page begins', async () => {
    const { cli } = await withThree()
    expect((await cli(['list', '--limit', '1'])).stdout).toContain('There may be more: --after a\n')
    expect(JSON.parse((await cli(['list', '--limit', '1', '--json'])).stdout).next).toBe('a')
  })

  test('says how to see the ended ones when none is running', async () => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    expect(await cli(['list'])).toEqual({
      code: 0,
      stdout: 'No such process is running; --status any looks at all.\n',
      stderr: '',
    })
  })
})

describe('events', () => {
  async function withLog() {
    const workspace = await openWorkspace()
    const registry = await workspace.openRegistry()
    await registerExternal(registry, 'job')
    await registry.requestCancel('job', 'too slow')
    return { ...workspace, registry }
  }

  test('prints the log, a line each', async () => {
    const { cli, registry } = await withLog()
    await end(registry, 'job', { status: 'cancelled', message: 'stopped' })
    const { code, stdout } = await cli(['events', 'job'])
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^#1 {2}\d{4}-\S+Z {2}process\.cancel_requested {2}\{"reason":"too slow"\}$/),
      expect.stringMatching(/^#2 {2}\d{4}-\S+Z {2}process\.cancelled {9}\{/),
    ])
  })

  test('prints it as one JSON document, from the given sequence on', async () => {
    const { cli, registry } = await withLog()
    await registry.requestCancel('job', 'much too slow')
    const { stdout } = await cli(['events', 'job', '--json', '--after', '1'])
    expect(JSON.parse(stdout)).toEqual({ events: await registry.eventsAfter('job', 1) })
  })

  test('--follow prints what is there and what comes, and ends with the process', async () => {
    const { start, registry } = await withLog()
    const following = start(['events', 'job', '--follow'])
    await following.line('#1')
    await end(registry, 'job', { status: 'completed', value: null })
    await following.line('#2')
    expect((await following.ended).code).toBe(0)
  })

  test('--follow --json prints one document per line', async () => {
    const { start, registry } = await withLog()
    const following = start(['events', 'job', '--follow', '--json'])
    expect(JSON.parse(await following.line('"sequence":1')).eventType).toBe('process.cancel_requested')
    await end(registry, 'job', { status: 'completed', value: null })
    const { stdout } = await following.ended
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).sequence),
    ).toEqual([1, 2])
  })

  test('--follow ends by Ctrl-C with 130', async () => {
    const { start } = await withLog()
    const following = start(['events', 'job', '--follow'])
    await following.line('#1')
    following.child.kill('SIGINT')
    expect(await following.ended).toMatchObject({ code: 130, stderr: '' })
  })
})

describe('steps', () => {
  const attempt = randomUUID()

  async function withJournal() {
    const workspace = await openWorkspace()
    const registry = await workspace.openRegistry()
    await register(registry, 'job')
    await journal(registry)
    return { ...workspace, registry }
  }

  async function journal(registry: ProcessRegistry): Promise<void> {
    const begun = await registry.beginAttempt('job', { worker: owner('ana'), attempt, ttlMs: 30_000 })
    if (begun.type !== 'run') throw new Error(`the attempt should begin: ${begun.type}`)
    const { lease } = begun
    const common = { processId: lease.processId, attempt, fence: lease.fencingToken }
    const entries = [
      { address: 'fetch#1', effect: 'repeatable', startedAtMs: 0, endedAtMs: 1_500 },
      { address: 'charge[card]', status: 'claimed' },
      {
        address: 'mail#1',
        status: 'failed',
        failure: { name: 'Error', message: 'refused' },
        endedAtMs: 1_000_000,
      },
      { address: 'sleep#1', kind: 'sleep', effect: 'repeatable', status: 'claimed' },
      { address: 'now#1', kind: 'now', effect: 'repeatable' },
    ] as const
    for (const [index, entry] of entries.entries()) {
      await registry.saveJournalEntry(lease, journalEntry({ ...entry, ...common, position: index + 1 }))
    }
  }

  test('prints each step with its address, effect, status, attempt and duration', async () => {
    const { cli } = await withJournal()
    const { code, stdout } = await cli(['steps', 'job'])
    expect(code).toBe(0)
    const begin = attempt.slice(0, 8)
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => line.split(/\s{2,}/)),
    ).toEqual([
      ['STEP', 'KIND', 'EFFECT', 'STATUS', 'ATTEMPT', 'TOOK'],
      ['fetch#1', 'step', 'repeatable', 'done', begin, '1.5s'],
      ['charge[card]', 'step', 'once', 'claimed', begin, '-'],
      ['mail#1', 'step', 'once', 'failed (refused)', begin, '0ms'],
      ['sleep#1', 'sleep', 'repeatable', 'claimed', begin, '-'],
    ])
  })

  test('--all shows readings of the clock and emitted events too', async () => {
    const { cli } = await withJournal()
    expect((await cli(['steps', 'job', '--all'])).stdout).toContain('now#1')
  })

  test('prints the entries as one JSON document', async () => {
    const { cli, registry } = await withJournal()
    const { stdout } = await cli(['steps', 'job', '--json', '--all'])
    expect(JSON.parse(stdout)).toEqual({ steps: await registry.journal('job') })
  })
})

describe('an id that was never registered', () => {
  test.each(['show', 'events', 'events --follow', 'steps', 'await', 'cancel'])(
    'is process_unknown for %s, exit 3',
    async command => {
      const { cli, openRegistry } = await openWorkspace()
      await openRegistry()
      const ended = await cli([...command.split(' '), 'nobody', '--json'])
      expect(ended.code).toBe(3)
      expect(jsonError(ended)).toMatchObject({ code: 'process_unknown', processId: 'nobody' })
      expect(ended.stdout).toBe('')
    },
  )

  test('is told to people in one line', async () => {
    const { cli, openRegistry } = await openWorkspace()
    await openRegistry()
    const { stderr } = await cli(['show', 'nobody'])
    expect(stderr).toBe(
      'error: process_unknown: No process "nobody" in this registry. Check the id, and that this is the registry it was started in.\n',
    )
  })
})
