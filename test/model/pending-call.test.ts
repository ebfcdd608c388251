import { describe, expect, test } from 'vitest'
import type { ProcessStatus } from '../../src/model/outcome.ts'
import {
  decideAnswer,
  decideOpenCall,
  type PendingCall,
  type ToolCallAnswer,
} from '../../src/model/pending-call.ts'
import { errorWith, ID, NOW } from './fixtures.ts'

const call: PendingCall = { key: 'k', processId: ID, openedAtMs: NOW - 10, untilMs: NOW + 10 }
const YES: ToolCallAnswer = { status: 'success', value: { a: 1, b: 2 } }
const NO: ToolCallAnswer = { status: 'failure', message: 'no' }
const answered: PendingCall = { ...call, answer: YES, answeredAtMs: NOW - 5 }

describe('opening a call', () => {
  test('takes a free key', () => {
    const asked = { key: 'k', processId: ID }
    expect(decideOpenCall(undefined, asked, NOW)).toEqual({
      type: 'open',
      call: { ...asked, openedAtMs: NOW },
    })
  })

  test.each([
    ['open', call],
    ['answered', answered],
  ])('finds its own %s call as it is, whatever deadline it asks for', (_, existing) => {
    const asked = { key: 'k', processId: ID, untilMs: NOW + 99 }
    expect(decideOpenCall(existing, asked, NOW)).toEqual({ type: 'existing', call: existing })
  })
})

const ANSWERS: readonly {
  readonly title: string
  readonly call: PendingCall
  readonly answer: ToolCallAnswer
  readonly status?: ProcessStatus
  readonly at?: number
  readonly comes: string
}[] = [
  { title: 'the first answer', call, answer: YES, comes: 'answered' },
  { title: 'an answer at the last moment', call, answer: NO, at: NOW + 10, comes: 'answered' },
  { title: 'an answer after that', call, answer: YES, at: NOW + 11, comes: 'tool_call_expired' },
  {
    title: 'an answer to an ended process',
    call,
    answer: YES,
    status: 'failed',
    comes: 'process_already_terminal',
  },
  { title: 'another answer', call: answered, answer: NO, comes: 'tool_call_answered' },
  {
    title: 'the same answer, its members in another order',
    call: answered,
    answer: { status: 'success', value: { b: 2, a: 1 } },
    comes: 'replayed',
  },
  {
    title: 'the same answer after the deadline and the end',
    call: answered,
    answer: YES,
    status: 'completed',
    at: NOW + 99,
    comes: 'replayed',
  },
]

describe('answering a call', () => {
  test.each(ANSWERS)(
    '$title comes to $comes',
    ({ call: open, answer, status = 'running', at = NOW, comes }) => {
      const decide = () => decideAnswer(open, answer, status, at)
      if (comes.includes('_')) expect(decide).toThrow(errorWith(comes as 'tool_call_expired'))
      else expect(decide()).toMatchObject({ type: comes, call: { answer: open.answer ?? answer } })
    },
  )
})
