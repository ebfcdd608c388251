import { describe, expect, test } from 'vitest'
import { decideSessionDeletion, newGrant, notGranted, transferred } from '../../src/model/grant.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import { errorWith, ID, record } from './fixtures.ts'

const grantOf = (sessionId: string, agentFrameId = '') => newGrant({ sessionId, agentFrameId }, ID)
const [mine, framed, other] = [grantOf('s'), grantOf('s', 'f'), grantOf('other')]

describe('a grant', () => {
  test('carries the scope, its session and the descriptor', () => {
    expect(newGrant({ sessionId: 's', agentFrameId: 'f' }, ID, { label: 'l' })).toStrictEqual({
      sessionId: 's',
      scopeId: 'session:s/frame:f',
      processId: ID,
      descriptor: { label: 'l' },
    })
    expect(mine).toMatchObject({ scopeId: 'session:s', descriptor: {} })
  })

  test('keeps its descriptor in other hands', () => {
    const given = newGrant({ sessionId: 's' }, ID, { kind: 'k' })
    expect(transferred(given, { sessionId: 't', agentFrameId: 'f' })).toStrictEqual({
      sessionId: 't',
      scopeId: 'session:t/frame:f',
      processId: ID,
      descriptor: { kind: 'k' },
    })
  })

  test('of no session, or with a field that nobody knows, is refused', () => {
    expect(() => newGrant({ sessionId: '' }, ID)).toThrow(errorWith('session_scope_invalid'))
    const misspelt: object = { lable: 'x' }
    expect(() => newGrant({ sessionId: 's' }, ID, misspelt)).toThrow('"lable"')
  })

  test('that is missing is named with process and session', () => {
    expect(notGranted('p', { sessionId: 's' })).toMatchObject({
      code: 'process_handle_not_granted',
      processId: 'p',
      message: expect.stringMatching(/"p".*"s"/),
    })
  })
})

describe('the deletion of a session', () => {
  test.each([
    { title: 'none of the session', grants: [other], revoked: [], fate: undefined },
    { title: 'none at all', grants: [], revoked: [], fate: undefined },
    { title: 'only its own', grants: [mine], revoked: [mine], fate: 'orphaned' },
    { title: "its own and its frame's", grants: [mine, framed], revoked: [mine, framed], fate: 'orphaned' },
    {
      title: "its frame's and another's",
      grants: [other, framed],
      revoked: [framed],
      fate: 'preserved',
    },
  ])('of a running process with $title: $fate', ({ grants, revoked, fate }) => {
    expect(decideSessionDeletion(record(), grants, 's')).toEqual({
      revoked,
      isWakeTargetGone: false,
      ...(fate === undefined ? {} : { fate }),
    })
  })

  test.each(TERMINAL_STATUSES)('reports no fate of a process that ended as %s', status => {
    expect(decideSessionDeletion(record({ status }), [mine], 's')).toEqual({
      revoked: [mine],
      isWakeTargetGone: false,
    })
  })

  test.each([
    { wakeTarget: { sessionId: 's' }, isGone: true },
    { wakeTarget: { sessionId: 's', agentFrameId: 'f' }, isGone: true },
    { wakeTarget: { sessionId: 'other' }, isGone: false },
  ])('takes the wake target $wakeTarget away: $isGone', ({ wakeTarget, isGone }) => {
    expect(decideSessionDeletion(record({ wakeTarget }), [], 's').isWakeTargetGone).toBe(isGone)
  })
})
