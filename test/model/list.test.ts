import { describe, expect, test } from 'vitest'
import { LIST_STATUSES, MAX_PAGE, parseListFilter, requirePageLimit } from '../../src/model/list.ts'
import { errorWith } from './fixtures.ts'

describe('a list filter', () => {
  test.each([
    {},
    ...LIST_STATUSES.map(status => ({ status })),
    { waiting: true },
    { silent: false },
    { identityKind: 'survey', identityLabel: 'weekly' },
    { definition: { script: 'a' } },
    { definition: null },
    { originatorScopeId: 'host', causedByOccurrenceId: 'o', causedBySubscriptionId: 'u' },
    { createdAtStartMs: 0, createdAtEndMs: 1 },
    { status: 'any', identityKind: 'survey', waiting: false, silent: true },
  ])('%o is accepted', filter => {
    expect(parseListFilter(filter)).toEqual(filter)
  })

  test.each<{ filter: unknown; names: string }>([
    { filter: { stauts: 'any' }, names: '"stauts"' },
    { filter: { status: 'done' }, names: '"status"' },
    { filter: { kind: 'survey' }, names: '"kind"' },
    { filter: { identityKind: 7 }, names: '"identityKind"' },
    { filter: { definition: 1n }, names: '"definition"' },
    { filter: { createdAtStartMs: 1.5 }, names: '"createdAtStartMs"' },
    { filter: { createdAtEndMs: '0' }, names: '"createdAtEndMs"' },
    { filter: { originatorScopeId: null }, names: '"originatorScopeId"' },
    { filter: { waiting: 'yes' }, names: '"waiting"' },
    { filter: { silent: 1 }, names: '"silent"' },
    { filter: { toString: 'any' }, names: '"toString"' },
    { filter: null, names: 'must be an object' },
    { filter: [], names: 'must be an object' },
    { filter: 'running', names: 'must be an object' },
  ])('one that is refused names $names', ({ filter, names }) => {
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
