import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { leaseholdMatchers, runWithCrash } from '../../src/testing/index.ts'
import { eventually } from '../support/eventually.ts'
import { removeScanned } from '../support/temporary-folder.ts'

expect.extend(leaseholdMatchers)

const host = new URL('./refund-host.ts', import.meta.url)

// The host module is loaded once for the file, so its registry is one for all its tests.
const folder = mkdtempSync(join(tmpdir(), 'leasehold-refunds-'))
process.env.REFUND_DB = join(folder, 'leasehold.db')
afterAll(() => removeScanned(folder))

const paid = (): string[] =>
  readFileSync(`${process.env.REFUND_DB}.paid`, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean)

/** The command line in an OS process of its own. */
const leasehold = (args: readonly string[]) =>
  promisify(execFile)(process.execPath, [MAIN, ...args, '--registry', `sqlite:${process.env.REFUND_DB}`])
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('a refund survives a worker that dies between the model’s answer and the journal', async () => {
  const run = await runWithCrash({
    host,
    start: { kind: 'refunds', input: 'refund order A7' },
    crashAt: { point: 'step.answered', step: 'model' },
  })
  expect(run).toHaveCrashed()
  expect(run).toHaveCompleted('done')
  expect(run).toHaveDone('refund')
  expect(run).toHaveNoUnknownEffect()
})

test.each([
  { when: 'while people are asked', point: 'approval.asked', says: 'done', pays: 1 },
  // Nobody knows, so it is not paid again; the model is told so.
  { when: 'when the yes is used', point: 'approval.used', says: 'please look', pays: 0 },
] as const)(
  'what people say outlives a worker that dies $when, and nothing runs again for it',
  async ({ point, says, pays }) => {
    const before = paid().length
    const run = await runWithCrash({
      host,
      start: { kind: 'allowedRefunds', input: `refund order A9, ${point}` },
      crashAt: { point },
      meanwhile: async (processes, id) => {
        const asked = await eventually(
          async () => (await processes.approvals())[0] ?? expect.fail('nobody is asked'),
        )
        expect(asked).toMatchObject({ processId: id, approval: { tool: 'refund', approvers: 2 } })
        // One person counts once.
        for (let said = 0; said < 2; said++)
          await processes.answerApproval(id, asked.key, { by: 'ana', verdict: 'approve' })
        expect(await processes.approvals()).toMatchObject([{ approval: { votes: [{ by: 'ana' }] } }])
        const { stdout } = await leasehold([
          'approve',
          id,
          '--by',
          'ben',
          '--digest',
          asked.approval.argsDigest,
        ])
        expect(stdout).toContain('approved by ben')
      },
    })
    expect(run).toHaveCrashed()
    expect(run).toHaveCompleted(says)
    expect(paid().length - before).toBe(pays)
    // Both of the model's answers were asked for once, over all attempts.
    expect(run).toHaveDone('model', 2)
  },
)

describe('the test kit', () => {
  test('leaves an effect unknown, and not repeated, where the worker dies right after it', async () => {
    const before = paid().length
    const run = await runWithCrash({
      host,
      start: { kind: 'refunds', input: 'refund order A8' },
      crashAt: { point: 'step.answered', step: 'refund' },
    })
    expect(run).toHaveCrashed()
    expect(run).toHaveCompleted('please look')
    expect(run).not.toHaveNoUnknownEffect()
    expect(run.attempts).toBe(2)
    expect(paid()).toHaveLength(before + 1)
  })

  test('tells the model of a session turn so as well, once, and its turn goes on', async () => {
    const before = paid().length
    const run = await runWithCrash({
      host,
      start: { kind: 'session_turn', disposition: 'rerunnable', input: { prompt: 'refund order A8' } },
      crashAt: { point: 'step.answered', step: 'refund' },
    })
    expect(run).toHaveCrashed()
    expect(run.outcome).toMatchObject({
      status: 'completed',
      value: { turn: { answer: 'please look', steps: 2 } },
    })
    expect(run.effects).toMatchObject([{ state: 'unknown' }])
    expect(run.journal.map(({ address }) => address.replace(/call_.*/, ''))).toEqual([
      'model[1]',
      'refund[',
      'model[2]',
    ])
    expect(paid()).toHaveLength(before + 1)
  })

  test('says that nobody died where the place was never reached', async () => {
    const run = await runWithCrash({
      host,
      start: { kind: 'refunds', input: 'refund order A9' },
      crashAt: { point: 'approval.used' },
    })
    expect(run).toHaveCrashed(0)
    expect(run).toHaveDone('model', 2)
  })

  test('is shown in the documentation as it stands here', () => {
    const here = readFileSync(new URL(import.meta.url), 'utf8')
    const guide = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
    const shown = /```ts test\n(?<code>test\(.*?\n\}\)\n)```/s.exec(guide)?.groups?.code
    expect(shown).toBeDefined()
    expect(here).toContain(shown)
    expect(shown?.trim().split('\n').length).toBeLessThanOrEqual(12)
  })
})

// The last of this file: what it leaves waiting is in nobody's way.
test('a run that does not end in time says where its process stands', async () => {
  const start = { kind: 'allowedRefunds', input: 'refund order A9, and nobody answers', id: 'late' }
  await expect(runWithCrash({ host, start, timeout: 1_000 })).rejects.toThrow(
    /^Process "late" has not ended within 1000 ms\. It is (not begun|held|parked|to go on): .+/,
  )
})
