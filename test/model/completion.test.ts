import { describe, expect, test } from 'vitest'
import { type CompletionAuthority, requireAuthority, terminalPayload } from '../../src/model/completion.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import { DISPOSITIONS } from '../../src/model/process.ts'
import { errorWith, LAPSED, leaseOf, NOW, owner, record } from './fixtures.ts'

const AUTHORITIES: Record<CompletionAuthority['authority'], CompletionAuthority> = {
  external_owner: { authority: 'external_owner', grantedTo: 'session:s' },
  workflow_key: { authority: 'workflow_key', workflowKey: 'p' },
  reconciled_abandon: { authority: 'reconciled_abandon' },
}
const OUTCOMES: Record<Outcome['status'], Outcome> = {
  completed: { status: 'completed', value: 1 },
  failed: { status: 'failed', class: 'execution', code: 'process_failed', message: 'no' },
  cancelled: { status: 'cancelled', message: 'enough' },
  abandoned: { status: 'abandoned', evidence: { writer: 'reconciled_request', epochMs: NOW } },
}

/** What each authority may write, by disposition; everything that is not here is refused. */
const ALLOWED: Record<string, readonly Outcome['status'][]> = {
  'external_owner on externally_owned': TERMINAL_STATUSES,
  'workflow_key on rerunnable': TERMINAL_STATUSES,
  'workflow_key on owner_bound': TERMINAL_STATUSES,
  'reconciled_abandon on externally_owned': ['abandoned'],
}

const cells = Object.values(AUTHORITIES).flatMap(authority =>
  DISPOSITIONS.flatMap(disposition =>
    TERMINAL_STATUSES.map(status => {
      const isAllowed = ALLOWED[`${authority.authority} on ${disposition}`]?.includes(status) ?? false
      return { authority, disposition, status, verdict: isAllowed ? 'accepted' : 'refused' }
    }),
  ),
)

describe('completing without a lease', () => {
  test.each(cells)(
    '$authority.authority writing $status on a process that is $disposition: $verdict',
    ({ authority, disposition, status, verdict }) => {
      const write = () =>
        requireAuthority(record({ disposition }), undefined, OUTCOMES[status], authority, NOW)
      if (verdict === 'accepted') expect(write).not.toThrow()
      else expect(write).toThrow(errorWith('process_authority_rejected'))
    },
  )

  const external = record({ disposition: 'externally_owned' })
  const lease = (ageMs?: number) => ({
    fence: 1,
    holder: leaseOf(owner('ana'), ageMs === undefined ? {} : { ageMs }),
  })

  test.each(Object.values(AUTHORITIES))('is refused to $authority while a lease is live', authority => {
    const write = () => requireAuthority(external, lease(), OUTCOMES.abandoned, authority, NOW)
    expect(write).toThrow(errorWith('process_lease_busy'))
  })

  test('is not refused for a lease that has lapsed', () => {
    const write = () =>
      requireAuthority(external, lease(LAPSED), OUTCOMES.completed, AUTHORITIES.external_owner, NOW)
    expect(write).not.toThrow()
  })

  test.each(TERMINAL_STATUSES)('is refused on a row that %s, before lease and authority', status => {
    const write = () =>
      requireAuthority(record({ status }), lease(), OUTCOMES.completed, AUTHORITIES.external_owner, NOW)
    expect(write).toThrow(errorWith('process_already_terminal'))
  })
})

test('the payload of a terminal event holds the outcome, and the authority where there was one', () => {
  expect(terminalPayload(OUTCOMES.completed)).toEqual({ await_output: { status: 'completed', value: 1 } })
  expect(terminalPayload(OUTCOMES.completed, AUTHORITIES.external_owner)).toEqual({
    await_output: { status: 'completed', value: 1 },
    completion_authority: { authority: 'external_owner', grantedTo: 'session:s' },
  })
})
