/** The checker must be seen to fail: each history here is one that a registry would have had to lie in. */
import { describe, expect, test } from 'vitest'
import { buildEvent } from '../../../src/model/event.ts'
import { acquire, type ProcessLease } from '../../../src/model/lease.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import { ID, journalEntry, NOW, owner, record, TTL } from '../../model/fixtures.ts'
import type { Answer, Call, OperationName } from './call.ts'
import { checkHistory } from './check-history.ts'
import { type History, markWith, type StoredHistory } from './history.ts'

const leaseOf = (name: string, fence: number, claimedAtMs: number): ProcessLease =>
  acquire({ fence: fence - 1 }, { processId: ID, owner: owner(name), ttlMs: TTL }, claimedAtMs)

const FIRST = leaseOf('ana', 1, NOW)
const SECOND = leaseOf('ben', 2, NOW + TTL)
const OUTCOME: Outcome = { status: 'completed', value: markWith('end') }

let time = 0
const call = (
  id: string,
  operation: OperationName,
  answer?: Answer,
  { lease, process = ID }: { lease?: ProcessLease; process?: string } = {},
): Call => ({
  id,
  process,
  operation,
  invokedAt: ++time,
  ...(lease === undefined ? {} : { lease }),
  ...(answer === undefined ? {} : { answer: { ...answer, returnedAt: ++time } }),
})
const done = (more: Partial<Extract<Answer, { type: 'done' }>> = {}): Answer => ({
  type: 'done',
  isStored: false,
  ...more,
})
const written = (sequence?: number) =>
  done({ isStored: true, ...(sequence === undefined ? {} : { sequence }) })
const note = (by: string, sequence: number) =>
  buildEvent(record({ lastSequence: sequence - 1 }), { eventType: 'note', payload: markWith(by) }, NOW).event
const end = (sequence: number, outcome = OUTCOME) => ({
  ...buildEvent(
    record({ lastSequence: sequence - 1 }),
    { eventType: 'process.completed', payload: { await_output: { value: markWith('end') } } },
    NOW,
  ).event,
  semantics: { terminal: { state: outcome.status, output: outcome } },
})

const CALLS: readonly Call[] = [
  call('new', 'register', done()),
  call('take', 'claim', done({ lease: FIRST })),
  call('a', 'append', written(1)),
  call('b', 'emit', written(2), { lease: FIRST }),
  call('cut', 'append'),
  call('take over', 'claim', done({ lease: SECOND })),
  call('late', 'emit', { type: 'refused', code: 'process_lease_lost' }, { lease: FIRST }),
  call('lost', 'append', { type: 'unsure', code: 'registry_unavailable' }),
  call('c', 'emit', written(4), { lease: SECOND }),
  call('step', 'saveJournalEntry', written(), { lease: SECOND }),
  call('end', 'completeWithLease', done({ outcome: OUTCOME }), { lease: SECOND }),
  call('gone', 'release', done(), { lease: FIRST }),
]
const EVENTS = [note('a', 1), note('b', 2), note('cut', 3), note('c', 4), end(5)]
const STORED: StoredHistory = {
  record: record({ status: 'completed', outcome: OUTCOME, lastSequence: 5 }),
  events: EVENTS,
  journal: [journalEntry({ value: markWith('step') })],
}
const OTHER: StoredHistory = { record: record({ id: 'q' as typeof ID }), events: [], journal: [] }
const TRUE: History = {
  calls: CALLS,
  stored: [STORED, OTHER],
  followed: { told: [ID, 'q', ID, 'q'], events: { [ID]: EVENTS } },
}

const withCall = (id: string, change: (call: Call) => Call): History => ({
  ...TRUE,
  calls: CALLS.map(one => (one.id === id ? change(one) : one)),
})
const answering = (id: string, answer: Answer): History =>
  withCall(id, one => ({
    ...one,
    answer: { ...answer, returnedAt: one.answer?.returnedAt ?? one.invokedAt + 0.5 },
  }))
const storing = (patch: Partial<StoredHistory>): History => {
  const stored = { ...STORED, ...patch }
  return { ...TRUE, stored: [stored, OTHER], followed: { ...TRUE.followed, events: { [ID]: stored.events } } }
}
const logOf = (events: StoredHistory['events']) =>
  storing({ events, record: { ...STORED.record, lastSequence: events.length } })

const LIES: Readonly<Record<string, readonly [history: History, problem: RegExp]>> = {
  'one fence for two holders': [
    answering('take over', done({ lease: { ...SECOND, fencingToken: 1 } })),
    /fence 1 was given to take and to take over/,
  ],
  'a smaller fence after a greater one': [
    {
      ...TRUE,
      calls: [...CALLS, call('again', 'renew', done({ lease: FIRST }), { lease: FIRST })],
    },
    /again was given fence 1, and take over 2 before/,
  ],
  'a lease over a live one': [
    answering('take over', done({ lease: { ...SECOND, claimedAtMs: NOW + TTL - 1 } })),
    /fence 1 was live until \d+, and take over was given the next/,
  ],
  'a write of a superseded holder': [
    answering('late', written(3)),
    /late did emit under fence 1 after take over had 2/,
  ],
  'an end by a superseded holder': [
    { ...TRUE, calls: [...CALLS, call('old end', 'completeWithLease', done(), { lease: FIRST })] },
    /old end did completeWithLease under fence 1 after take over had 2/,
  ],
  'a superseded write that was refused, and stands in the log': [
    logOf([note('a', 1), note('b', 2), note('late', 3), note('c', 4), end(5)]),
    /late was refused \(process_lease_lost\), and is stored all the same/,
  ],
  'an older fence behind a newer one': [
    logOf([note('a', 1), note('c', 2), note('cut', 3), note('b', 4), end(5)]),
    /event 4 has fence 1, behind fence 2/,
  ],
  'a write under a lease behind the end': [
    logOf([note('a', 1), note('b', 2), note('cut', 3), end(4), note('c', 5)]),
    /event 5 was written under a lease behind the end/,
  ],
  'two ends': [logOf([...EVENTS, end(6)]), /it ended 2 times: 5 6/],
  'an end that the record does not have': [
    storing({ record: record({ lastSequence: 5 }) }),
    /the record says running, the log completed/,
  ],
  'an end that the log does not have': [
    logOf(EVENTS.slice(0, 4)),
    /the record says completed, the log nothing/,
  ],
  'another outcome than the one answered': [
    answering('end', done({ outcome: { status: 'completed', value: 'other' } })),
    /end was answered another outcome/,
  ],
  'a gap in the log': [
    logOf([note('a', 1), note('b', 2), note('c', 4), end(5)]),
    /the log has the sequences 1 2 4 5/,
  ],
  'a record that counts other events': [
    storing({ record: { ...STORED.record, lastSequence: 6 } }),
    /the record says 6 events, the log has 5/,
  ],
  'an acknowledged append that is gone': [
    logOf([note('cut', 1), note('b', 2)]),
    /a \(append\) was answered, and is not stored/,
  ],
  'an acknowledged step that is gone': [
    storing({ journal: [] }),
    /step \(saveJournalEntry\) was answered, and is not/,
  ],
  'an append that stands elsewhere': [
    answering('a', written(3)),
    /a was answered sequence 3, and stands at 1/,
  ],
  'an append that stands there twice': [
    logOf([...EVENTS.slice(0, 4), note('lost', 5), note('lost', 6)]),
    /lost wrote 2 times/,
  ],
  'an event that nobody wrote': [
    logOf([...EVENTS.slice(0, 4), note('ghost', 5)]),
    /ghost is stored, and nobody/,
  ],
  'an append that overtook one before it': [
    {
      ...logOf([note('c', 1), note('b', 2), note('cut', 3), note('a', 4), end(5)]),
      calls: CALLS.map(one => (one.id === 'a' ? call('a', 'append', written(4)) : one)).map(one =>
        one.id === 'c' ? call('c', 'append', written(1)) : one,
      ),
    },
    /c came after a, and stands before it/,
  ],
  'a process that the feed does not have': [
    { ...TRUE, stored: [OTHER], followed: { told: ['q'], events: {} } },
    /a was answered, but the feed has no such process/,
  ],
  'an event that the follower missed': [
    { ...TRUE, followed: { ...TRUE.followed, events: { [ID]: EVENTS.slice(0, 4) } } },
    /the follower read the events 1 2 3 4; 5 are stored/,
  ],
  'a process that the follower never heard of': [
    { ...TRUE, followed: { ...TRUE.followed, told: [ID] } },
    /the follower was last told of survey-42; the feed's order is survey-42 q/,
  ],
  'a feed out of order': [
    { ...TRUE, followed: { ...TRUE.followed, told: [ID, 'q', ID] } },
    /the follower was last told of q survey-42/,
  ],
}

describe('the checker of histories', () => {
  test('has nothing to say of one that is true', () => {
    expect(checkHistory(TRUE)).toEqual([])
  })

  test.each(Object.entries(LIES))('sees %s', (_, [history, problem]) => {
    expect(checkHistory(history).join('\n')).toMatch(problem)
  })

  test.each([
    ['a lease that was given up', call('up', 'release', done(), { lease: FIRST })],
    ['a holder that was killed as it gave up', call('up', 'park', undefined, { lease: FIRST })],
  ])('lets the next be given before its time after %s', (_, givingUp) => {
    const early = answering('take over', done({ lease: { ...SECOND, claimedAtMs: NOW + 1 } }))
    expect(checkHistory({ ...early, calls: [...early.calls, { ...givingUp, invokedAt: 0 }] })).toEqual([])
  })

  test('lets a superseded holder be told of the very end that its successor wrote', () => {
    const again = call('same end', 'completeWithLease', done({ outcome: OUTCOME }), { lease: FIRST })
    expect(checkHistory({ ...TRUE, calls: [...CALLS, again] })).toEqual([])
  })

  test('lets a holder that is said to be dead be followed at once', () => {
    const reclaimed = withCall('take over', one => ({
      ...one,
      operation: 'reclaim',
      answer: {
        type: 'done',
        isStored: false,
        lease: { ...SECOND, claimedAtMs: NOW + 1 },
        returnedAt: one.invokedAt + 0.5,
      },
    }))
    expect(checkHistory(reclaimed)).toEqual([])
  })
})
