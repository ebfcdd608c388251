import { expect, it } from 'vitest'
import { CORE_EVENT_TYPES, type EventType, wakeOn } from '../../src/model/event.ts'
import { decodeEventTypes, encodeEventTypes } from '../../src/registry/sql/rows/event-types.ts'

const NOTE: EventType = { name: 'note', payloadSchema: true }

it('writes the core event types of a row as one word', () => {
  expect(encodeEventTypes([NOTE, ...CORE_EVENT_TYPES])).toBe(
    '[{"name":"note","payloadSchema":true},"core:1"]',
  )
  expect(encodeEventTypes(CORE_EVENT_TYPES)).toBe('["core:1"]')
})

it.each([
  ['with own types', [NOTE, ...CORE_EVENT_TYPES]],
  ['without', CORE_EVENT_TYPES],
  [
    'with one of the core that wakes',
    [wakeOn('process.completed', { input: 'payload' }), ...CORE_EVENT_TYPES],
  ],
  ['in another order', CORE_EVENT_TYPES.toReversed()],
  [
    'with one whose schema says the same words',
    [...CORE_EVENT_TYPES, { ...NOTE, payloadSchema: ['core:1'] }],
  ],
  ['none', []],
])('reads what it wrote: %s', (_, types) => {
  expect(decodeEventTypes(encodeEventTypes(types))).toEqual(types)
})

it('reads a row in which all types are written out', () => {
  expect(decodeEventTypes(JSON.stringify([NOTE, ...CORE_EVENT_TYPES]))).toEqual([NOTE, ...CORE_EVENT_TYPES])
})

// Not from CORE_EVENT_TYPES: whoever changes these must keep what the rows of today mean.
it('reads the first core types in a row of any age', () => {
  const ends = ['completed', 'failed', 'cancelled', 'abandoned'].map(state => ({
    name: `process.${state}`,
    payloadSchema: true,
    semantics: { terminal: { state, awaitOutput: { pointer: '/await_output' } } },
  }))
  const others = ['process.cancel_requested', 'process.waiting', 'process.resumed']
  expect(decodeEventTypes('["core:1"]')).toEqual([
    ...others.map(name => ({ name, payloadSchema: true })),
    ...ends,
  ])
})
