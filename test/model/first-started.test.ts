import { expect, test } from 'vitest'
import { decideFirstStarted } from '../../src/model/first-started.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import { errorWith, leaseOf, NOW, owner, record } from './fixtures.ts'

const start = { owner: owner('ana'), startedAtMs: NOW }
const firstStarted = { owner: owner('ben'), attempt: 'one', fence: 4, startedAtMs: 1 }

test.each([
  { title: 'never leased', lease: undefined, fence: 0 },
  { title: 'released', lease: { fence: 3 }, fence: 3 },
  { title: 'held', lease: { fence: 2, holder: leaseOf(owner('ben'), { fence: 2 }) }, fence: 2 },
])('of a process $title is recorded with fence $fence', ({ lease, fence }) => {
  expect(decideFirstStarted(record(), lease, start)).toEqual({ ...start, attempt: 'ana-life', fence })
})

test.each(['running', ...TERMINAL_STATUSES] as const)('once recorded, it stays (%s)', status => {
  expect(decideFirstStarted(record({ firstStarted, status }), undefined, start)).toBeUndefined()
})

test.each(TERMINAL_STATUSES)('is refused on a process that has ended as %s', status => {
  expect(() => decideFirstStarted(record({ status }), undefined, start)).toThrow(
    errorWith('process_already_terminal'),
  )
})
