import { describe, expect, test } from 'vitest'
import {
  type EventSemantics,
  type MaterializedSemantics,
  materialize,
  materializeGiven,
  textOfPayload,
  type WakeSpec,
} from '../../src/model/event-semantics.ts'
import type { Json } from '../../src/model/json.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { errorWith } from './fixtures.ts'

const event = (payload: Json) => ({ processId: 'p', sequence: 7, eventType: 'note', payload })
const COMPLETED: Outcome = { status: 'completed', value: 3 }

describe('what an event means', () => {
  test.each<{ what: string; semantics: EventSemantics | undefined }>([
    { what: 'without declaration', semantics: undefined },
    { what: 'of an empty declaration', semantics: {} },
    { what: 'whose wake is switched off', semantics: { wake: { when: { const: false }, input: 'payload' } } },
  ])('nothing more $what', ({ semantics }) => {
    expect(materialize(semantics, event('x'))).toBeUndefined()
  })

  test.each<{ wake: WakeSpec; payload: Json; is: MaterializedSemantics['wake'] | undefined }>([
    { wake: { input: 'payload' }, payload: { a: 1 }, is: { input: '{"a":1}', dedupeKey: 'p:7' } },
    { wake: { input: { const: 'up' } }, payload: 1, is: { input: 'up', dedupeKey: 'p:7' } },
    {
      wake: { when: { present: '/text' }, input: { pointer: '/text' } },
      payload: { text: 'hello' },
      is: { input: 'hello', dedupeKey: 'p:7' },
    },
    { wake: { when: { present: '/text' }, input: { pointer: '/text' } }, payload: {}, is: undefined },
    {
      wake: { when: { pointer: '/n' }, input: 'payload' },
      payload: { n: 0 },
      is: { input: '{"n":0}', dedupeKey: 'p:7' },
    },
    { wake: { when: 'payload', input: 'payload' }, payload: '', is: undefined },
    {
      wake: { input: { const: 'x' }, dedupeKey: { selector: { pointer: '/id' } } },
      payload: { id: 12 },
      is: { input: 'x', dedupeKey: '12' },
    },
    {
      wake: { input: { const: 'x' }, dedupeKey: { const: 'daily' } },
      payload: 1,
      is: { input: 'x', dedupeKey: 'daily' },
    },
    {
      wake: { input: { const: 'x' }, dedupeKey: 'event_identity' },
      payload: 1,
      is: { input: 'x', dedupeKey: 'p:7' },
    },
  ])('the wake $wake of $payload is $is', ({ wake, payload, is }) => {
    expect(materialize({ wake }, event(payload))?.wake).toEqual(is)
  })

  test.each<{ what: string; semantics: EventSemantics; payload: Json; output: Outcome }>([
    {
      what: 'the whole payload of a completed type without selector',
      semantics: { terminal: { state: 'completed' } },
      payload: { type: 'success', value: 1 },
      output: { status: 'completed', value: { type: 'success', value: 1 } },
    },
    {
      what: 'an outcome as it stands',
      semantics: { terminal: { state: 'completed', awaitOutput: { pointer: '/await_output' } } },
      payload: { await_output: { type: 'success', value: 3 } },
      output: COMPLETED,
    },
    {
      what: 'a plain value wrapped',
      semantics: { terminal: { state: 'failed', awaitOutput: { pointer: '/why' } } },
      payload: { why: 'no such folder' },
      output: {
        status: 'failed',
        class: 'execution',
        code: 'process_failed',
        message: 'no such folder',
        raw: 'no such folder',
      },
    },
  ])('an end takes $what', ({ semantics, payload, output }) => {
    expect(materialize(semantics, event(payload))).toEqual({ terminal: { state: output.status, output } })
  })

  test.each<{ what: string; semantics: EventSemantics; payload: Json }>([
    {
      what: 'an output of another state',
      semantics: { terminal: { state: 'failed', awaitOutput: 'payload' } },
      payload: { status: 'completed', value: 1 },
    },
    {
      what: 'an output that is not there',
      semantics: { terminal: { state: 'completed', awaitOutput: { pointer: '/none' } } },
      payload: {},
    },
    {
      what: 'a wake text that is not there',
      semantics: { wake: { input: { pointer: '/none' } } },
      payload: {},
    },
    {
      what: 'a condition that is not there',
      semantics: { wake: { when: { pointer: '/none' }, input: 'payload' } },
      payload: {},
    },
    {
      what: 'a key that is not there',
      semantics: { wake: { input: 'payload', dedupeKey: { selector: { pointer: '/none' } } } },
      payload: {},
    },
  ])('$what is refused', ({ semantics, payload }) => {
    expect(() => materialize(semantics, event(payload))).toThrow(errorWith('process_event_selector'))
  })
})

describe("what the registry's own event means", () => {
  test('the outcome that is given, whatever the declaration picks', () => {
    const semantics: EventSemantics = { terminal: { state: 'failed', awaitOutput: { pointer: '/none' } } }
    expect(materializeGiven(semantics, event({}), COMPLETED)).toEqual({
      terminal: { state: 'completed', output: COMPLETED },
    })
  })

  test('a wake as declared', () => {
    const semantics: EventSemantics = { wake: { input: { pointer: '/text' }, dedupeKey: { const: 'k' } } }
    expect(materializeGiven(semantics, event({ text: 'up' }), undefined)).toEqual({
      wake: { input: 'up', dedupeKey: 'k' },
    })
  })

  test('a wake that tells the whole payload where its declaration does not fit', () => {
    const semantics: EventSemantics = { wake: { input: { pointer: '/none' }, dedupeKey: { const: 'k' } } }
    expect(materializeGiven(semantics, event({ a: 1 }), undefined)).toEqual({
      wake: { input: '{"a":1}', dedupeKey: 'p:7' },
    })
  })

  test('nothing more where nothing is declared or given', () => {
    expect(materializeGiven(undefined, event({}), undefined)).toBeUndefined()
  })
})

test.each<{ payload: Json; text: string }>([
  { payload: { text: 'read me', value: 1 }, text: 'read me' },
  { payload: { value: { a: 1 } }, text: '{"a":1}' },
  { payload: { other: true }, text: '{"other":true}' },
  { payload: 'scalar', text: 'scalar' },
  { payload: 7, text: '7' },
  { payload: ['text'], text: '["text"]' },
])('the payload $payload reads "$text" (§6 #56)', ({ payload, text }) => {
  expect(textOfPayload(payload)).toBe(text)
})
