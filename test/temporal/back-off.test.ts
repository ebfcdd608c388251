import { expect, test } from 'vitest'
import { toApplicationFailure } from '../../src/activities/failures.ts'
import { LeaseholdError } from '../../src/index.ts'

test('the back-off that is on the row is what Temporal waits with its next attempt (§6 #185)', () => {
  const error = new LeaseholdError('registry_locked', 'somebody else has it')
  expect(toApplicationFailure(error, 4_000)).toMatchObject({ type: 'registry_locked', nextRetryDelay: 4_000 })
  // None at all would be Temporal's own, and no delay is not allowed.
  expect(toApplicationFailure(error, 0)).toMatchObject({ nextRetryDelay: 1 })
  expect(toApplicationFailure(error).nextRetryDelay).toBeUndefined()
})
