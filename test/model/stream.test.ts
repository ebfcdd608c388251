import { describe, expect, test } from 'vitest'
import {
  covers,
  decideLeftovers,
  entriesOf,
  isSameRow,
  lengthOf,
  rangesOf,
  requireChannel,
  type StepSpan,
  type StreamContent,
  type StreamEntry,
  type StreamRow,
  StreamView,
} from '../../src/model/stream.ts'
import { errorWith, ID } from './fixtures.ts'

const row = (from: number, content: StreamContent, patch: Partial<StreamRow> = {}): StreamRow => ({
  processId: ID,
  channel: 'text',
  from,
  to: from + lengthOf(content),
  epoch: 0,
  attempt: 1,
  fence: 1,
  content,
  writtenAtMs: 0,
  ...patch,
})

const delta = (offset: number, data: string): StreamEntry => ({ type: 'delta', offset, attempt: 1, data })
const reset = (offset: number, from: number, to: number): StreamEntry => ({
  type: 'attempt_reset',
  offset,
  attempt: 2,
  retracted: [{ from, to }],
})

describe('the entries of a row', () => {
  test.each([
    [0, [5, 6, 7]],
    [5, [5, 6, 7]],
    [6, [6, 7]],
    [8, []],
  ])('from offset %i', (from, offsets) => {
    const entries = entriesOf(row(5, { deltas: ['a', 'b', 'c'] }), from)
    expect(entries.map(({ offset }) => offset)).toEqual(offsets)
  })

  test.each([
    [3, 1],
    [4, 0],
  ])('a reset from offset %i is %i', (from, count) => {
    expect(entriesOf(row(3, { retracted: [{ from: 0, to: 2 }] }), from)).toHaveLength(count)
  })
})

test.each([
  [[], []],
  [[4], [{ from: 4, to: 5 }]],
  [
    [0, 1, 2, 5, 7, 8],
    [
      { from: 0, to: 3 },
      { from: 5, to: 6 },
      { from: 7, to: 9 },
    ],
  ],
])('the offsets %j as ranges', (offsets, ranges) => {
  expect(rangesOf(offsets)).toEqual(ranges)
  expect(offsets.every(offset => covers(ranges, offset))).toBe(true)
  expect(covers(ranges, 6)).toBe(false)
})

describe('what earlier attempts have left', () => {
  const head = { channel: 'text', next: 9 }
  const isSettled = (step: string) => step === 'done'
  const span = (from: number, to: number, step: string): StepSpan => ({ channel: 'text', from, to, step })
  const left = (outside: StreamRow[], ofSteps: StepSpan[] = []) =>
    decideLeftovers({ head, outside, ofSteps }, isSettled)

  test('of a step that the journal knows, stands', () => {
    expect(left([], [span(0, 1, 'done')])).toEqual({ ...head, retracted: [], repeatable: [] })
  })

  test('of a step that runs anew, is taken back', () => {
    const ofSteps = [span(0, 2, 'model'), span(2, 4, 'done'), span(4, 5, 'model')]
    expect(left([], ofSteps)).toMatchObject({
      retracted: [
        { from: 0, to: 2 },
        { from: 4, to: 5 },
      ],
    })
  })

  test('outside steps, is said again', () => {
    expect(left([row(0, { deltas: ['a'] })])).toEqual({
      ...head,
      retracted: [],
      repeatable: [{ type: 'delta', offset: 0, attempt: 1, data: 'a' }],
    })
  })

  test.each<[string, readonly (readonly [number, number])[]]>([
    ['at once', [[1, 4]]],
    [
      'piece by piece',
      [
        [3, 4],
        [1, 2],
        [2, 3],
      ],
    ],
    [
      'in ranges that overlap',
      [
        [1, 4],
        [2, 3],
      ],
    ],
  ])('and was taken back before, %s, is gone', (_, ranges) => {
    const retracted = ranges.map(([from, to]) => ({ from, to }))
    const outside = [row(0, { deltas: ['a', 'b'] }), row(5, { retracted }), row(6, { deltas: ['c'] })]
    expect(left(outside, [span(2, 5, 'model')])).toMatchObject({
      retracted: [{ from: 4, to: 5 }],
      repeatable: [{ data: 'a' }, { data: 'c' }],
    })
  })
})

describe('a view', () => {
  const textOf = (view: StreamView) => view.deltas.map(({ data }) => data).join('')

  test('shows what was said and not taken back', () => {
    const view = new StreamView()
    const changes = [delta(0, 'a'), delta(1, 'b'), reset(2, 1, 2), delta(3, 'c')].map(e => view.apply(e))
    expect(changes).toEqual([false, false, true, false])
    expect({ text: textOf(view), next: view.next }).toEqual({ text: 'ac', next: 4 })
  })

  test('takes no entry twice', () => {
    const view = new StreamView()
    for (const entry of [delta(0, 'a'), delta(0, 'a'), delta(1, 'b'), delta(0, 'a')]) view.apply(entry)
    expect(textOf(view)).toBe('ab')
  })

  test('that began in the middle leaves alone what it has not seen', () => {
    const view = new StreamView(2)
    expect([view.apply(delta(2, 'c')), view.apply(reset(3, 0, 2))]).toEqual([false, false])
    expect(textOf(view)).toBe('c')
  })
})

test('two rows are the same when their entries are, whoever wrote them', () => {
  const one = row(0, { deltas: ['a'] })
  expect(isSameRow(one, row(0, { deltas: ['a'] }, { fence: 2, writtenAtMs: 9 }))).toBe(true)
  expect(isSameRow(one, row(0, { deltas: ['b'] }))).toBe(false)
  expect(isSameRow(one, row(0, { deltas: ['a', 'b'] }))).toBe(false)
  expect(isSameRow(one, row(1, { deltas: ['a'] }))).toBe(false)
})

test.each(['', ' \t', 'a\u0000b', 'x'.repeat(201), 'half \ud83d'])('%j is no name of a channel', name => {
  expect(() => requireChannel(name)).toThrow(errorWith('usage'))
})

test.each(['text', 'ui.messages/1', '𝄞', 'x'.repeat(200)])('%j is a name of a channel', name => {
  expect(requireChannel(name)).toBe(name)
})
