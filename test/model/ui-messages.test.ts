import { expect, test } from 'vitest'
import type { StreamDelta, StreamEntry } from '../../src/model/stream.ts'
import { UiMessages } from '../../src/model/ui-messages.ts'

const START = { type: 'start' }
const STEP = { type: 'start-step' }
const text = (delta: string) => ({ type: 'text-delta', id: 't', delta })
const RESET = { type: 'reset-step' }

const deltas = (...chunks: readonly { type: string }[]): StreamDelta[] =>
  chunks.map((data, offset) => ({ type: 'delta', offset, attempt: 1, data: { ...data } }))

const reset = (offset: number, from: number, to: number): StreamEntry => ({
  type: 'attempt_reset',
  offset,
  attempt: 2,
  retracted: [{ from, to }],
})

const SHOWN = deltas(START, STEP, text('a'), STEP, text('b'), text('c'))

test('a delta is shown as it is', () => {
  const messages = new UiMessages()
  const [first, second] = deltas(START, text('a'))
  expect(first && messages.next(first)).toEqual([START])
  expect(second && messages.next(second)).toEqual([text('a')])
})

test.each<[string, number, number, readonly object[] | undefined]>([
  ['the end of the step', 5, 6, [RESET, text('b')]],
  ['all of the step', 4, 6, [RESET]],
  ['the step with its start', 3, 6, [RESET]],
  ['nothing that was shown', 7, 9, []],
  ['a step before', 2, 6, undefined],
])('takes back %s', (_, from, to, chunks) => {
  expect(new UiMessages(SHOWN).next(reset(6, from, to))).toEqual(chunks)
})

test('a second reset shows what stood after the first', () => {
  const messages = new UiMessages(SHOWN)
  messages.next(reset(6, 5, 6))
  messages.next({ type: 'delta', offset: 7, attempt: 2, data: text('d') })
  expect(messages.next(reset(8, 4, 5))).toEqual([RESET, text('d')])
})

test('a message without steps is shown anew as a whole', () => {
  const messages = new UiMessages(deltas(text('a'), text('b')))
  expect(messages.next(reset(2, 1, 2))).toEqual([RESET, text('a')])
})
