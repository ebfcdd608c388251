import { describe, expect, test } from 'vitest'
import { CORE_EVENT_TYPES, RESERVED_EVENT_TYPES } from '../../src/model/event.ts'
import { asJson, hashJson } from '../../src/model/json.ts'
import type { ProcessInput, ProcessRecord, SessionCreateRequest } from '../../src/model/process.ts'
import {
  completeRegistration,
  decideRegister,
  hashRegistration,
  MAX_PAYLOAD_BYTES,
  type RegistrationRequest,
  type SameIdRule,
} from '../../src/model/registration.ts'
import { errorWith, ID, record, registration } from './fixtures.ts'

const external: ProcessInput = { type: 'external', metadata: {} }
const toolCall = (callId: string, args: string): ProcessInput => ({
  type: 'tool_call',
  call: { callId, toolName: 'search', args },
})
const turn = (createRequest: SessionCreateRequest): ProcessInput => ({
  type: 'session_turn',
  createRequest,
  turnInput: 'go on',
  outputContract: null,
})
const eventType = (name: string) => ({ name, payloadSchema: true })

const without = (field: 'envRef' | 'disposition'): RegistrationRequest => {
  const request = registration()
  Reflect.deleteProperty(request, field)
  return request
}

describe('a registration is refused', () => {
  test.each<{ title: string; request: RegistrationRequest; names: string }>([
    { title: 'without a disposition', request: without('disposition'), names: 'there is no default' },
    { title: 'with a blank id', request: registration({ id: ' \t ' }), names: 'blank' },
    { title: 'with "#" in its id', request: registration({ id: 'a#1' }), names: 'reserved as a separator' },
    { title: 'of an engine without environment', request: without('envRef'), names: 'envRef' },
    { title: 'with an empty environment', request: registration({ envRef: '' }), names: 'envRef' },
    {
      title: 'of a tool call without environment',
      request: { ...without('envRef'), input: toolCall('c1', 'x') },
      names: 'envRef',
    },
    {
      title: 'of external work with an environment',
      request: registration({ input: external }),
      names: 'must not carry',
    },
    {
      title: 'of a session turn with an environment',
      request: registration({ input: turn({}) }),
      names: 'must not carry',
    },
    {
      title: 'with a blank kind',
      request: registration({ identity: { kind: ' ' } }),
      names: 'whose kind is blank',
    },
    {
      title: 'with an originator that names no session',
      request: registration({ provenance: { originator: { type: 'session', scope: { sessionId: '' } } } }),
      names: 'an originator that names no session',
    },
    {
      title: 'with a wake target that names no session',
      request: registration({ wakeTarget: { sessionId: '\t' } }),
      names: 'a wake target that names no session',
    },
    { title: 'with no attempts allowed', request: registration({ maxAttempts: 0 }), names: 'maxAttempts 0' },
    { title: 'with a negative budget', request: registration({ maxAttempts: -1 }), names: 'maxAttempts -1' },
    { title: 'with half an attempt', request: registration({ maxAttempts: 1.5 }), names: 'maxAttempts' },
    {
      title: 'with a blank event type',
      request: registration({ eventTypes: [eventType(' ')] }),
      names: 'blank name',
    },
    {
      title: 'with an event type declared twice',
      request: registration({ eventTypes: [eventType('note'), eventType('note')] }),
      names: '"note" twice',
    },
    {
      title: 'with an event type of 201 characters',
      request: registration({ eventTypes: [eventType('n'.repeat(201))] }),
      names: '201 characters',
    },
    {
      title: 'with a core event type that means something else',
      request: registration({ eventTypes: [eventType('process.completed')] }),
      names: '"process.completed"',
    },
    {
      title: 'with a core event type of another schema',
      request: registration({
        eventTypes: [{ name: 'process.cancel_requested', payloadSchema: { type: 'string' } }],
      }),
      names: '"process.cancel_requested"',
    },
    ...(['failed', 'cancelled', 'abandoned'] as const).map(state => ({
      title: `with an end as ${state} that says nothing of it`,
      request: registration({
        eventTypes: [{ ...eventType('done'), semantics: { terminal: { state } } }],
      }),
      names: 'needs an awaitOutput selector',
    })),
    ...(
      [
        { where: 'terminal.awaitOutput', terminal: { state: 'failed', awaitOutput: { pointer: 'x' } } },
        { where: 'wake.input', wake: { input: { pointer: 'x' } } },
        { where: 'wake.when', wake: { when: { present: 'x' }, input: 'payload' } },
        { where: 'wake.dedupeKey', wake: { input: 'payload', dedupeKey: { selector: { pointer: 'x' } } } },
      ] as const
    ).map(({ where, ...semantics }) => ({
      title: `with a selector at ${where} that is none`,
      request: registration({ eventTypes: [{ ...eventType('done'), semantics }] }),
      names: `selector at ${where}`,
    })),
    ...['signal.', 'signal.a b', 'signal.é', `signal.${'x'.repeat(129)}`].map(name => ({
      title: `with the signal ${name.slice(0, 20)}`,
      request: registration({ eventTypes: [eventType(name)] }),
      names: 'names a signal that',
    })),
    {
      title: 'with a core event type whose wake hides another end',
      request: registration({
        eventTypes: [
          {
            ...eventType('process.failed'),
            semantics: { terminal: { state: 'completed' }, wake: { input: 'payload' } },
          },
        ],
      }),
      names: '"process.failed"',
    },
    ...Object.values(RESERVED_EVENT_TYPES).map(name => ({
      title: `that declares ${name}`,
      request: registration({ eventTypes: [eventType(name)] }),
      names: `"${name}", which is reserved`,
    })),
  ])('$title', ({ request, names }) => {
    expect(() => completeRegistration(request)).toThrow(errorWith('process_registration_invalid'))
    expect(() => completeRegistration(request)).toThrow(names)
  })

  test('with an input above the limit, naming its size', () => {
    const input: ProcessInput = { type: 'engine', kind: 'survey', payload: 'x'.repeat(MAX_PAYLOAD_BYTES) }
    expect(() => completeRegistration(registration({ input }))).toThrow(errorWith('payload_too_large'))
  })
})

describe('a registration is completed', () => {
  test('with the seven core event types, after those it declares', () => {
    const { eventTypes } = completeRegistration(registration({ eventTypes: [eventType('note')] }))
    expect(eventTypes).toEqual([eventType('note'), ...CORE_EVENT_TYPES])
    expect(CORE_EVENT_TYPES).toHaveLength(7)
  })

  test('without repeating a core type that it declares itself', () => {
    const { eventTypes } = completeRegistration(registration({ eventTypes: [...CORE_EVENT_TYPES] }))
    expect(eventTypes).toEqual(CORE_EVENT_TYPES)
  })

  test.each<{ title: string; input: ProcessInput; identity: object }>([
    { title: 'a tool call', input: toolCall('c1', 'x'), identity: { kind: 'tool', label: 'search' } },
    {
      title: 'an engine',
      input: { type: 'engine', kind: 'survey', payload: null },
      identity: { kind: 'survey' },
    },
    {
      title: 'a turn of a subagent',
      input: turn({ subagent: { capability: 'c' }, usageSource: 'u', sessionId: 's' }),
      identity: { kind: 'session_turn', label: 'c' },
    },
    {
      title: 'a turn with a usage source',
      input: turn({ usageSource: 'u', sessionId: 's' }),
      identity: { kind: 'session_turn', label: 'u' },
    },
    {
      title: 'a turn of a named session',
      input: turn({ sessionId: 's' }),
      identity: { kind: 'session_turn', label: 's' },
    },
    { title: 'a turn of a new session', input: turn({}), identity: { kind: 'session_turn' } },
    { title: 'bare external work', input: external, identity: { kind: 'external' } },
    {
      title: 'external work with a label, a name and a title',
      input: { type: 'external', metadata: { title: 't', name: 'n', label: 'l' } },
      identity: { kind: 'external', label: 'l' },
    },
    {
      title: 'external work with a name and a title',
      input: { type: 'external', metadata: { title: 't', name: 'n' } },
      identity: { kind: 'external', label: 'n' },
    },
    {
      title: 'external work whose label is no text',
      input: { type: 'external', metadata: { label: 7, title: 't' } },
      identity: { kind: 'external', label: 't' },
    },
    {
      title: 'external work with scalar metadata',
      input: { type: 'external', metadata: 'label' },
      identity: { kind: 'external' },
    },
  ])('with the identity of $title', ({ input, identity }) => {
    const runsInItsOwn = input.type === 'external' || input.type === 'session_turn'
    const request = runsInItsOwn ? without('envRef') : registration()
    expect(completeRegistration({ ...request, input }).identity).toEqual(identity)
  })

  test('with the identity that the producer gives, where it gives one', () => {
    const identity = { kind: 'survey', label: 'weekly' }
    expect(completeRegistration(registration({ identity })).identity).toEqual(identity)
  })
})

describe('registering an id', () => {
  const register = (existing: ProcessRecord | undefined, request: RegistrationRequest, rule: SameIdRule) =>
    decideRegister({ existing }, hashRegistration(request), { sameId: rule, reuse: false })
  const existingOf = (request: RegistrationRequest) => {
    const complete = completeRegistration(request)
    return record({ ...complete, registrationHash: hashJson(asJson(complete)) })
  }

  test('that is new inserts it', () => {
    const request = registration()
    expect(register(undefined, request, 'whole')).toMatchObject({
      type: 'insert',
      registration: { id: ID },
    })
  })

  test.each(['whole', 'request'] as const)('again, the same, returns the row (%s)', rule => {
    const existing = existingOf(registration())
    expect(register(existing, registration(), rule)).toEqual({ type: 'existing', record: existing })
  })

  describe('that was pruned', () => {
    const tombstone = { id: ID, status: 'failed', prunedAtMs: 1, fence: 3, lastSequence: 5 } as const
    const asked = hashRegistration(registration())
    const decide = (sameId: SameIdRule, reuse: boolean) => () =>
      decideRegister({ tombstone }, asked, { sameId, reuse })

    test.each(['whole', 'request'] as const)('is refused, unless reuse is said (%s)', sameId => {
      expect(decide(sameId, false)).toThrow(errorWith('process_no_longer_retained'))
      expect(decide(sameId, true)()).toEqual({ type: 'insert', continues: tombstone, ...asked })
    })
  })

  test('with reuse, that is still there, is the same as without', () => {
    const existing = existingOf(registration())
    const decide = (request: RegistrationRequest) =>
      decideRegister({ existing }, hashRegistration(request), { sameId: 'whole', reuse: true })
    expect(decide(registration())).toEqual({ type: 'existing', record: existing })
    expect(() => decide(registration({ disposition: 'owner_bound' }))).toThrow(
      errorWith('process_registration_conflict'),
    )
  })

  test('again, with its members in another order, is the same', () => {
    const existing = existingOf(
      registration({ input: { type: 'engine', kind: 'survey', payload: { a: 1, b: 2 } } }),
    )
    const request = registration({ input: { payload: { b: 2, a: 1 }, kind: 'survey', type: 'engine' } })
    expect(register(existing, request, 'whole').type).toBe('existing')
  })

  test.each<{ what: string; patch: Partial<RegistrationRequest>; request: 'existing' | 'conflict' }>([
    { what: 'one more event type', patch: { eventTypes: [eventType('note')] }, request: 'existing' },
    { what: 'another environment', patch: { envRef: 'process-env:sha256:01' }, request: 'existing' },
    { what: 'another label', patch: { identity: { kind: 'survey', label: 'x' } }, request: 'existing' },
    { what: 'another kind', patch: { identity: { kind: 'other' } }, request: 'conflict' },
    {
      what: 'another input',
      patch: { input: { type: 'engine', kind: 'survey', payload: { dir: '/' } } },
      request: 'conflict',
    },
    { what: 'another input type', patch: { input: toolCall('c1', 'x') }, request: 'conflict' },
    { what: 'another disposition', patch: { disposition: 'owner_bound' }, request: 'conflict' },
  ])('again with $what is a conflict as a whole, and by request: $request', ({ patch, request }) => {
    const existing = existingOf(registration())
    const conflict = errorWith('process_registration_conflict')
    expect(() => register(existing, registration(patch), 'whole')).toThrow(conflict)
    if (request === 'conflict') {
      expect(() => register(existing, registration(patch), 'request')).toThrow(conflict)
    } else {
      expect(register(existing, registration(patch), 'request').type).toBe('existing')
    }
  })

  test('a conflict names both hashes', () => {
    const existing = existingOf(registration())
    const attempt = () => register(existing, registration({ disposition: 'owner_bound' }), 'whole')
    expect(attempt).toThrow(existing.registrationHash.slice(0, 12))
    expect(attempt).toThrow('disposition (rerunnable against owner_bound)')
  })

  test.each([
    { callId: 'made-up', args: 'x', answer: 'existing' },
    { callId: 'c1', args: 'y', answer: 'conflict' },
  ])(
    'a tool call with call id $callId and arguments $args is by request: $answer',
    ({ callId, args, answer }) => {
      const existing = existingOf(registration({ input: toolCall('c1', 'x') }))
      const again = () => register(existing, registration({ input: toolCall(callId, args) }), 'request').type
      if (answer === 'existing') expect(again()).toBe('existing')
      else expect(again).toThrow(errorWith('process_registration_conflict'))
    },
  )
})
