import { describe, expect, test } from 'vitest'
import { manyLines, oneLine } from '../../src/cli/plain-text.ts'
import { alignColumns } from '../../src/cli/table.ts'
import { formatDuration, parseDuration, parsePast } from '../../src/cli/time-text.ts'

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

describe('a moment that has passed', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')

  test.each([
    ['2026-10-01', '2026-10-01T00:00:00.000Z'],
    ['2026-10-01T12:30Z', '2026-10-01T12:30:00.000Z'],
    ['2026-10-01T12:30:15.5+02:00', '2026-10-01T10:30:15.500Z'],
    ['30d', '2026-10-22T12:00:00.000Z'],
    ['45m', '2026-11-21T11:15:00.000Z'],
    ['0s', '2026-11-21T12:00:00.000Z'],
  ])('%s is %s', (text, moment) => {
    expect(new Date(parsePast('--before', text)(now)).toISOString()).toBe(moment)
  })

  test.each([
    '',
    '30',
    '1.5d',
    '-1d',
    '2026',
    '2026-13-01',
    '2026-10-01T12:30',
    'Oct 1 2026',
    `${'9'.repeat(20)}d`,
  ])('%j is none', text => {
    expect(() => parsePast('--before', text)).toThrow('neither a time nor how long ago')
  })

  test('one that lies in the future is refused by the clock that counts', () => {
    expect(() => parsePast('--before', '2026-11-22')(now)).toThrow('lies in the future')
    expect(parsePast('--before', '2026-11-22')(now + 86_400_000)).toBe(Date.parse('2026-11-22'))
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
