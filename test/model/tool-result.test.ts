import { describe, expect, test } from 'vitest'
import { requireProcessId } from '../../src/model/ids.ts'
import { asJson } from '../../src/model/json.ts'
import { ABANDON_WRITERS, type Outcome } from '../../src/model/outcome.ts'
import { outcomeOfToolResult, toolResultOf, toolResultOfPruned } from '../../src/model/tool-result.ts'
import { owner } from './fixtures.ts'

const failure = { class: 'timeout', code: 'late', message: 'too late' } as const

describe('an outcome as the result of a tool', () => {
  test.each<Outcome>([
    { status: 'completed', value: { rows: [1, null] } },
    { status: 'failed', ...failure },
    { status: 'failed', ...failure, raw: [1] },
    { status: 'cancelled', message: 'stop' },
    { status: 'cancelled', message: 'stop', raw: null },
  ])('%j comes back whole (§6 #89)', outcome => {
    expect(outcomeOfToolResult(asJson(toolResultOf(outcome)))).toEqual(outcome)
  })

  test.each(ABANDON_WRITERS)('abandoned by %s is a failure, and stays one (§6 #89)', writer => {
    const evidence = { writer, owner: owner('ana'), epochMs: 9 }
    const result = toolResultOf({ status: 'abandoned', evidence })
    expect(result).toMatchObject({
      type: 'failure',
      class: 'external',
      code: 'process_abandoned',
      raw: evidence,
    })
    expect(outcomeOfToolResult(asJson(result))).toMatchObject({ status: 'failed', code: 'process_abandoned' })
  })

  test('abandoned says by whom in words of its own (§6 #89)', () => {
    const messages = ABANDON_WRITERS.map(writer => {
      const result = toolResultOf({ status: 'abandoned', evidence: { writer, epochMs: 9 } })
      return result.type === 'failure' && result.message
    })
    expect(new Set(messages).size).toBe(ABANDON_WRITERS.length)
  })

  test('no tool can say abandoned (§6 #89)', () => {
    const evidence = { writer: 'sweep', epochMs: 9 }
    expect(outcomeOfToolResult({ type: 'abandoned', evidence })).toBeUndefined()
    expect(outcomeOfToolResult({ status: 'abandoned', evidence })).toBeUndefined()
  })

  test('a pruned process is told of, as information', () => {
    const tombstone = {
      id: requireProcessId('gone'),
      status: 'failed',
      prunedAtMs: 7,
      fence: 1,
      lastSequence: 3,
    } as const
    expect(toolResultOfPruned(tombstone)).toEqual({
      type: 'success',
      code: 'process_no_longer_retained',
      value: { terminalLabel: 'failed', prunedAtMs: 7 },
    })
  })
})
