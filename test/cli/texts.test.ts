import { describe, expect, test } from 'vitest'
import { manyLines, oneLine } from '../../src/cli/plain-text.ts'
import { alignColumns } from '../../src/cli/table.ts'
import { formatDuration, parseDuration } from '../../src/cli/time-text.ts'

describe('a duration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['24d', 2_073_600_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    [0, '0ms'],
    [999, '999ms'],
    [1_500, '1.5s'],
    [90_000, '1.5m'],
    [5_400_000, '1.5h'],
    [129_600_000, '1.5d'],
  ])('of %i ms is shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

test('columns stand under each other, whatever colour their cells have', () => {
  expect(
    alignColumns([
      ['a', 'bb', 'c'],
      ['\u001b[32maaa\u001b[39m', 'b', ''],
    ]),
  ).toEqual(['a    bb  c', '\u001b[32maaa\u001b[39m  b'])
})

test('text of others holds no control character when it is shown', () => {
  const text = 'tab\t, line\n, escape\u001b[2J, csi\u009b, delete\u007f'
  expect(oneLine(text)).toBe('tab\\t, line\\n, escape\\u001b[2J, csi\\u009b, delete\\u007f')
  expect(manyLines(text)).toBe('tab\t, line\n, escape\\u001b[2J, csi\\u009b, delete\\u007f')
})
