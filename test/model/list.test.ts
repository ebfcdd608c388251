import { describe, expect, test } from 'vitest'
import { LIST_STATUSES, MAX_PAGE, parseListFilter, requirePageLimit } from '../../src/model/list.ts'
import { errorWith } from './fixtures.ts'

describe('a list filter', () => {
  test.each([
    {},
    ...LIST_STATUSES.map(status => ({ status })),
    { kind: 'survey' },
    { waiting: true },
    { silent: false },
    { status: 'any', kind: 'survey', waiting: false, silent: true },
  ])('%o is accepted', filter => {
    expect(parseListFilter(filter)).toEqual(filter)
  })

  test.each<{ filter: unknown; names: string }>([
    { filter: { stauts: 'any' }, names: '"stauts"' },
    { filter: { status: 'done' }, names: '"status"' },
    { filter: { kind: 7 }, names: '"kind"' },
    { filter: { waiting: 'yes' }, names: '"waiting"' },
    { filter: { silent: 1 }, names: '"silent"' },
    { filter: { toString: 'any' }, names: '"toString"' },
    { filter: null, names: 'is an object' },
    { filter: [], names: 'is an object' },
    { filter: 'running', names: 'is an object' },
  ])('$filter is refused, naming the field', ({ filter, names }) => {
    expect(() => parseListFilter(filter)).toThrow(errorWith('usage'))
    expect(() => parseListFilter(filter)).toThrow(names)
  })
})

test('a page holds a hundred rows unless told otherwise', () => {
  expect(requirePageLimit()).toBe(100)
  expect(requirePageLimit(MAX_PAGE)).toBe(1_000)
})

test.each([0, -1, 1.5, MAX_PAGE + 1, Number.NaN])('a page of %d rows is refused', limit => {
  expect(() => requirePageLimit(limit)).toThrow(errorWith('usage'))
})
