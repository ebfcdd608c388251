import { expect, test } from 'vitest'
import { hasAnyGone, isLost, isNotBegun } from '../../src/model/lost-task.ts'
import { stored } from './fixtures.ts'

const ANNOUNCED = new Set(['ana', 'ben'])
const submitted = stored({}, { submissions: 1 })

test.each([
  { what: 'somebody who is gone has', givenTo: 'gone', process: submitted, lost: true },
  { what: 'somebody who is there has', givenTo: 'ana', process: submitted, lost: false },
  { what: 'nobody has', givenTo: undefined, process: submitted, lost: false },
  { what: 'somebody began', givenTo: 'gone', process: stored({ attempts: 1 }), lost: false },
  {
    what: 'its next attempt waits for',
    givenTo: 'gone',
    process: stored({ attempts: 1 }, { submissions: 1 }),
    lost: true,
  },
  {
    what: 'nobody needs any more',
    givenTo: 'gone',
    process: stored({ status: 'cancelled' }, { submissions: 1 }),
    lost: false,
  },
])('a task that $what is lost: $lost', ({ givenTo, process, lost }) => {
  const task = { taskId: '1', ...(givenTo === undefined ? {} : { givenTo }) }
  expect(isLost(task, process, ANNOUNCED)).toBe(lost)
})

test('a process that was never handed over has not lost anything', () => {
  expect(isNotBegun(stored())).toBe(false)
})

test.each([
  { what: 'nobody knows who was there before', before: undefined, gone: true },
  { what: 'nobody was there', before: [], gone: false },
  { what: 'all are still there', before: ['ana'], gone: false },
  { what: 'one of them is not', before: ['ana', 'cleo'], gone: true },
])('somebody has gone, where $what: $gone', ({ before, gone }) => {
  expect(hasAnyGone(before && new Set(before), ANNOUNCED)).toBe(gone)
})
