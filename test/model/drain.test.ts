import { describe, expect, test } from 'vitest'
import { decideDrain } from '../../src/model/drain.ts'
import type { StoredLease } from '../../src/model/lease.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import type { ProcessRecord } from '../../src/model/process.ts'
import { LAPSED, leaseOf, NOW, owner, stored } from './fixtures.ts'

const me = owner('me')
const other = owner('other')
const startedBy = (starter: typeof me): Partial<ProcessRecord> => ({
  disposition: 'owner_bound',
  firstStarted: { owner: starter, attempt: 'attempt-1', fence: 1, startedAtMs: NOW - 9 },
})
const heldBy = (holder: typeof me, ageMs?: number): StoredLease => ({
  fence: 1,
  holder: leaseOf(holder, ageMs === undefined ? {} : { ageMs }),
})
const mine = startedBy(me)
const abandoned = {
  type: 'abandon',
  outcome: { status: 'abandoned', evidence: { writer: 'owner_drain', owner: me, epochMs: NOW } },
}
const busy = { type: 'deferred', reason: 'busy' }
const notMine = { type: 'not_mine' }

const CASES: readonly {
  readonly title: string
  readonly record: Partial<ProcessRecord>
  readonly lease?: StoredLease
  readonly answer: object
}[] = [
  { title: 'owner-bound, begun by me, held by nobody', record: mine, answer: abandoned },
  {
    title: 'owner-bound, begun by me, my lease lapsed',
    record: mine,
    lease: heldBy(me, LAPSED),
    answer: abandoned,
  },
  { title: 'owner-bound, begun by me, released', record: mine, lease: { fence: 1 }, answer: abandoned },
  {
    title: 'owner-bound, begun by me, my attempt still holds it',
    record: mine,
    lease: heldBy(me),
    answer: busy,
  },
  {
    title: 'owner-bound, begun by me, somebody settles it',
    record: mine,
    lease: heldBy(other),
    answer: busy,
  },
  ...TERMINAL_STATUSES.map(status => ({
    title: `owner-bound, begun by me, ${status}`,
    record: { ...mine, status },
    answer: { type: 'deferred', reason: 'settled_by_peer' },
  })),
  { title: 'owner-bound, begun by somebody else', record: startedBy(other), answer: notMine },
  {
    title: 'owner-bound, begun in an earlier life of mine',
    record: startedBy({ ...me, incarnationId: 'before' }),
    answer: notMine,
  },
  {
    title: 'owner-bound, begun by another name of the same life',
    record: startedBy({ ...me, ownerId: 'elsewhere' }),
    answer: notMine,
  },
  { title: 'owner-bound, not begun', record: { disposition: 'owner_bound' }, answer: notMine },
  { title: 'rerunnable, begun by me', record: { ...mine, disposition: 'rerunnable' }, answer: notMine },
  { title: 'somebody else’s work', record: { disposition: 'externally_owned' }, answer: notMine },
]

describe('what a worker that stops may end (§6 #189, #190)', () => {
  test.each(CASES)('$title: $answer.type', ({ record, lease, answer }) => {
    expect(decideDrain(stored(record), lease, me, NOW)).toEqual(answer)
  })
})
