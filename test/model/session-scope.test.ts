import { describe, expect, test } from 'vitest'
import {
  brokenScopeRule,
  requireSessionScope,
  type SessionScope,
  scopeId,
} from '../../src/model/session-scope.ts'
import { errorWith } from './fixtures.ts'

test.each<{ scope: SessionScope; id: string }>([
  { scope: { sessionId: 'S' }, id: 'session:S' },
  { scope: { sessionId: 'S', agentFrameId: 'F' }, id: 'session:S/frame:F' },
  { scope: { sessionId: 'S', agentFrameId: '' }, id: 'session:S' },
  { scope: { sessionId: 'S/T', agentFrameId: 'F/frame:G' }, id: 'session:S/T/frame:F/frame:G' },
])('the id of $scope is $id', ({ scope, id }) => {
  expect(scopeId(scope)).toBe(id)
})

describe('a session scope', () => {
  test('loses an empty frame', () => {
    expect(requireSessionScope({ sessionId: 'S', agentFrameId: '' })).toStrictEqual({ sessionId: 'S' })
    expect(requireSessionScope({ sessionId: 'S', agentFrameId: 'F' })).toStrictEqual({
      sessionId: 'S',
      agentFrameId: 'F',
    })
  })

  test.each<{ title: string; scope: SessionScope; names: string }>([
    { title: 'without a session', scope: { sessionId: '' }, names: 'names no session' },
    { title: 'of blanks', scope: { sessionId: ' \t' }, names: 'names no session' },
    {
      title: 'that reads as the frame of another',
      scope: { sessionId: 'S/frame:F' },
      names: 'separates session and frame',
    },
    { title: 'of a lone surrogate', scope: { sessionId: '\ud800' }, names: 'well-formed' },
    { title: 'of 513 bytes', scope: { sessionId: 'é'.repeat(256).concat('x') }, names: '513 bytes' },
    {
      title: 'with a frame of 513 bytes',
      scope: { sessionId: 'S', agentFrameId: 'x'.repeat(513) },
      names: '513 bytes',
    },
  ])('$title is refused', ({ scope, names }) => {
    expect(brokenScopeRule(scope)).toContain(names)
    expect(() => requireSessionScope(scope)).toThrow(errorWith('session_scope_invalid'))
  })

  test('of 512 bytes is accepted', () => {
    expect(brokenScopeRule({ sessionId: 'é'.repeat(256), agentFrameId: 'x'.repeat(512) })).toBeUndefined()
  })
})
