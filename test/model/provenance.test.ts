import { describe, expect, test } from 'vitest'
import {
  brokenProvenanceRule,
  type CausalRef,
  canonicalProvenance,
  type Originator,
  originatorScopeId,
  triggerOf,
} from '../../src/model/provenance.ts'

const session = (sessionId: string, agentFrameId?: string): Originator => ({
  type: 'session',
  scope: { sessionId, ...(agentFrameId === undefined ? {} : { agentFrameId }) },
})
const host: Originator = { type: 'host' }

test.each<{ originator: Originator; id: string }>([
  { originator: host, id: 'host' },
  { originator: { type: 'host', scope: '' }, id: 'host' },
  { originator: { type: 'host', scope: 'cron' }, id: 'host:cron' },
  { originator: session('S'), id: 'session:S' },
  { originator: session('S', 'F'), id: 'session:S/frame:F' },
])('the scope id of $originator is $id', ({ originator, id }) => {
  expect(originatorScopeId(originator)).toBe(id)
})

test.each<{ given: Originator; stored: Originator }>([
  { given: { type: 'host', scope: '' }, stored: host },
  { given: { type: 'host', scope: 'cron' }, stored: { type: 'host', scope: 'cron' } },
  { given: session('S', ''), stored: session('S') },
  { given: session('S', 'F'), stored: session('S', 'F') },
])('the originator $given is stored as $stored', ({ given, stored }) => {
  expect(canonicalProvenance({ originator: given, hostProfileId: 'p' })).toStrictEqual({
    originator: stored,
    hostProfileId: 'p',
  })
})

describe('a provenance', () => {
  test.each<{ names: string; originator?: Originator; causedBy?: CausalRef }>([
    { names: 'an originator that names no session', originator: session('') },
    { names: 'an originator whose scope is longer', originator: { type: 'host', scope: 'x'.repeat(513) } },
    {
      names: 'a turn whose turnId is blank',
      causedBy: { type: 'turn', sessionId: 's', turnId: ' ' },
    },
    {
      names: 'a trigger_occurrence whose occurrenceId is longer',
      causedBy: { type: 'trigger_occurrence', occurrenceId: 'x'.repeat(513) },
    },
  ])('with $names is refused', ({ names, originator = host, causedBy }) => {
    expect(brokenProvenanceRule({ originator, ...(causedBy && { causedBy }) })).toContain(names)
  })

  test('that keeps every rule is accepted', () => {
    const causedBy = { type: 'process_event', processId: 'p', sequence: 0 } as const
    expect(brokenProvenanceRule({ originator: session('S', 'F'), causedBy })).toBeUndefined()
    expect(brokenProvenanceRule({ originator: { type: 'host', scope: 'cron' } })).toBeUndefined()
  })

  test('tells the trigger that caused it', () => {
    const causedBy = { type: 'trigger_occurrence', occurrenceId: 'o', subscriptionId: 'u' } as const
    expect(triggerOf({ originator: host, causedBy })).toMatchObject({
      occurrenceId: 'o',
      subscriptionId: 'u',
    })
    expect(triggerOf({ originator: host, causedBy: { type: 'process', processId: 'p' } })).toEqual({})
    expect(triggerOf({ originator: host })).toEqual({})
  })
})
