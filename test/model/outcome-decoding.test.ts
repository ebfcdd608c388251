import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/model/json.ts'
import { asJson } from '../../src/model/json.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { decodeOutcome, wrapAsOutcome } from '../../src/model/outcome-decoding.ts'
import { owner } from './fixtures.ts'

const evidence = { writer: 'sweep', owner: owner('ana'), epochMs: 9 } as const
const failure = { class: 'timeout', code: 'late', message: 'too late' } as const

const OUTCOMES: readonly Outcome[] = [
  { status: 'completed', value: null },
  { status: 'failed', ...failure },
  { status: 'failed', ...failure, raw: [1] },
  { status: 'cancelled', message: 'stop' },
  { status: 'cancelled', message: 'stop', raw: null },
  { status: 'abandoned', evidence },
  { status: 'abandoned', evidence: { writer: 'reconciled_request', epochMs: 9 } },
]

describe('decoding an outcome', () => {
  test.each(OUTCOMES)('%j comes back whole', outcome => {
    expect(decodeOutcome(asJson(outcome))).toEqual(outcome)
  })

  test.each<{ value: Json; outcome: Outcome }>([
    { value: { type: 'success', value: 3 }, outcome: { status: 'completed', value: 3 } },
    { value: { type: 'failure', ...failure }, outcome: { status: 'failed', ...failure } },
    { value: { type: 'cancelled', message: 'stop' }, outcome: { status: 'cancelled', message: 'stop' } },
    { value: { type: 'abandoned', evidence: asJson(evidence) }, outcome: { status: 'abandoned', evidence } },
  ])("a tool result's $value is $outcome", ({ value, outcome }) => {
    expect(decodeOutcome(value)).toEqual(outcome)
  })

  test.each<{ value: Json }>([
    { value: null },
    { value: 'completed' },
    { value: [] },
    { value: {} },
    { value: { status: 'completed' } },
    { value: { status: 'running', value: 1 } },
    { value: { type: 'toString', value: 1 } },
    { value: { status: 'failed', ...failure, class: 'odd' } },
    { value: { status: 'failed', ...failure, message: 7 } },
    { value: { status: 'cancelled' } },
    { value: { status: 'abandoned', evidence: { writer: 'nobody', epochMs: 1 } } },
    { value: { status: 'abandoned', evidence: { writer: 'sweep', epochMs: 1, owner: 'ana' } } },
  ])('$value is none', ({ value }) => {
    expect(decodeOutcome(value)).toBeUndefined()
  })
})

test.each<{ outcome: Outcome; value: Json }>([
  { value: { a: 1 }, outcome: { status: 'completed', value: { a: 1 } } },
  {
    value: 'disk full',
    outcome: {
      status: 'failed',
      class: 'execution',
      code: 'process_failed',
      message: 'disk full',
      raw: 'disk full',
    },
  },
  { value: { why: 1 }, outcome: { status: 'cancelled', message: '{"why":1}', raw: { why: 1 } } },
  { value: 1, outcome: { status: 'abandoned', evidence: { writer: 'owner_drain', epochMs: 0 } } },
])('the plain value $value becomes $outcome', ({ outcome, value }) => {
  expect(wrapAsOutcome(outcome.status, value)).toEqual(outcome)
})
