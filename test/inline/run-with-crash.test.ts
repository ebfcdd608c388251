import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { leaseholdMatchers, runWithCrash } from '../../src/testing/index.ts'

expect.extend(leaseholdMatchers)

const host = new URL('./refund-host.ts', import.meta.url)

// The host module is loaded once for the file, so its registry is one for all its tests.
const folder = mkdtempSync(join(tmpdir(), 'leasehold-refunds-'))
process.env.REFUND_DB = join(folder, 'leasehold.db')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const paid = (): string[] => readFileSync(`${process.env.REFUND_DB}.paid`, 'utf8').trim().split('\n')

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
