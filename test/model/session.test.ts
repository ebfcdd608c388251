import { describe, expect, test } from 'vitest'
import {
  decideAppendToSession,
  decideCloseSession,
  decideCreateSession,
  decideLeaveSession,
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
const { openFor: _, ...free } = session
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
    ['is free', free, 'reopened', 5],
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
    ['a free one', free, ALONE],
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
    'what is there, when free',
    free,
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
  ['when free', free, { turnId: 't', after: 2, entries: [says('c')] }, [], 'session_not_open'],
  ['for another turn', session, { turnId: 'u', after: 2, entries: [says('c')] }, [], 'session_not_open'],
]

describe('appending to a session', () => {
  test.each(APPENDS)('%s', (_, to, append, stored, comes) => {
    const decide = () => decideAppendToSession(to, append, stored, NOW)
    if (comes.startsWith('session_')) expect(decide).toThrow(errorWith(comes as 'session_not_open'))
    else expect(decide()).toMatchObject({ type: comes })
  })
})

test('a closed session stays closed since then, and takes no turn but the one that has it', () => {
  const over = decideCloseSession(session, NOW)
  expect(over).toEqual({ ...session, closedAtMs: NOW, version: 5, updatedAtMs: NOW })
  expect(decideCloseSession(over, NOW + 9)).toBe(over)
  const open = (turnId: string) =>
    decideCreateSession(over, { sessionId: 's', turnId }, { ...ALONE, isHolderOver: true })
  expect(open('t')).toEqual({ type: 'existing', session: over })
  expect(() => open('u')).toThrow(errorWith('session_closed'))
})

test('only its own turn leaves a session', () => {
  expect(decideLeaveSession(session, 't', NOW)).toEqual({ ...free, version: 5, updatedAtMs: NOW })
  expect(decideLeaveSession(session, 'u', NOW)).toBeUndefined()
  expect(decideLeaveSession(free, 't', NOW)).toBeUndefined()
  expect(decideLeaveSession(undefined, 't', NOW)).toBeUndefined()
})
