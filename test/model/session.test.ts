import { describe, expect, test } from 'vitest'
import {
  decideAppendToSession,
  decideCloseSession,
  decideCreateSession,
  type NewSessionEntry,
  type Session,
  type SessionEntry,
  turnAhead,
} from '../../src/model/session.ts'
import { errorWith, NOW } from './fixtures.ts'

const session: Session = {
  sessionId: 's',
  policy: {},
  pluginOptions: {},
  openFor: 't',
  lastPosition: 2,
  version: 4,
  createdAtMs: NOW - 9,
  updatedAtMs: NOW - 5,
}
const { openFor: _, ...closed } = session
const says = (message: string): NewSessionEntry => ({ kind: 'message', message })
const entry = (position: number, message: string, turnId = 't'): SessionEntry => ({
  ...says(message),
  position,
  turnId,
  appendedAtMs: NOW - 5,
})

const ALONE = { now: NOW, isHolderOver: false, isWaiting: false }

describe('creating a session', () => {
  const request = { sessionId: 's', turnId: 't' }

  test.each([
    ['is new', undefined, 'created', 1],
    ['is open for the same turn', session, 'existing', 4],
    ['is closed', closed, 'reopened', 5],
  ] as const)('that %s', (_, existing, type, version) => {
    expect(decideCreateSession(existing, request, ALONE)).toMatchObject({
      type,
      session: { openFor: 't', version },
    })
  })

  test('that is open for another turn is refused', () => {
    const other = { ...request, turnId: 'u' }
    const create = () => decideCreateSession(session, other, ALONE)
    expect(create).toThrow(errorWith('session_busy'))
    expect(decideCreateSession(session, other, { ...ALONE, isHolderOver: true })).toMatchObject({
      type: 'reopened',
      session: { openFor: 'u', version: 5 },
    })
  })

  test.each([
    ['a closed one', closed, ALONE],
    ['one whose turn has ended', session, { ...ALONE, isHolderOver: true }],
  ])('%s is not opened before a turn that waits for it has had it', (_, existing, queue) => {
    const other = { ...request, turnId: 'u' }
    const errorBehind = (isWaiting: boolean) => {
      try {
        return decideCreateSession(existing, other, { ...queue, isWaiting, ahead: 'a' })
      } catch (error) {
        return error
      }
    }
    expect([errorBehind(true), errorBehind(false)]).toEqual([
      errorWith('session_busy'),
      errorWith('session_busy'),
    ])
    expect([turnAhead(errorBehind(true)), turnAhead(errorBehind(false))]).toEqual(['a', undefined])
  })
})

const APPENDS: readonly [
  title: string,
  session: Session,
  append: { readonly turnId: string; readonly after: number; readonly entries: NewSessionEntry[] },
  stored: SessionEntry[],
  comes: string,
][] = [
  ['at its end', session, { turnId: 't', after: 2, entries: [says('c')] }, [], 'append'],
  ['what is there', session, { turnId: 't', after: 1, entries: [says('b')] }, [entry(2, 'b')], 'replayed'],
  [
    'what is there, when closed',
    closed,
    { turnId: 't', after: 1, entries: [says('b')] },
    [entry(2, 'b')],
    'replayed',
  ],
  [
    'something else',
    session,
    { turnId: 't', after: 1, entries: [says('x')] },
    [entry(2, 'b')],
    'session_conflict',
  ],
  [
    'more than is there',
    session,
    { turnId: 't', after: 1, entries: [says('b'), says('c')] },
    [entry(2, 'b')],
    'session_conflict',
  ],
  [
    "another turn's words",
    session,
    { turnId: 't', after: 1, entries: [says('b')] },
    [entry(2, 'b', 'u')],
    'session_conflict',
  ],
  ['with a gap', session, { turnId: 't', after: 3, entries: [says('d')] }, [], 'session_conflict'],
  ['when closed', closed, { turnId: 't', after: 2, entries: [says('c')] }, [], 'session_closed'],
  ['for another turn', session, { turnId: 'u', after: 2, entries: [says('c')] }, [], 'session_closed'],
]

describe('appending to a session', () => {
  test.each(APPENDS)('%s', (_, to, append, stored, comes) => {
    const decide = () => decideAppendToSession(to, append, stored, NOW)
    if (comes.startsWith('session_')) expect(decide).toThrow(errorWith(comes as 'session_closed'))
    else expect(decide()).toMatchObject({ type: comes })
  })
})

test('only its own turn closes a session', () => {
  expect(decideCloseSession(session, 't', NOW)).toEqual({ ...closed, version: 5, updatedAtMs: NOW })
  expect(decideCloseSession(session, 'u', NOW)).toBeUndefined()
  expect(decideCloseSession(closed, 't', NOW)).toBeUndefined()
  expect(decideCloseSession(undefined, 't', NOW)).toBeUndefined()
})
