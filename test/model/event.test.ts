import { describe, expect, test } from 'vitest'
import {
  type AppendRequest,
  buildEvent,
  CORE_EVENT_TYPES,
  decideAppend,
  RESERVED_EVENT_TYPES,
  replayKeys,
  type StoredEvent,
  terminalEventType,
} from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import { errorWith, ID, NOW, record } from './fixtures.ts'

const NOTE = { name: 'note', payloadSchema: { type: 'string' } }
const row = record({ eventTypes: [NOTE, ...CORE_EVENT_TYPES], lastSequence: 4 })
/** Stands in for the schema compiler: a declared type name has to be the payload's. */
const validate = (schema: Json, payload: Json): string | undefined =>
  schema === true || typeof payload === 'string' ? undefined : 'it is no text'

const append = (request: AppendRequest, withSameKey?: StoredEvent, on = row) =>
  decideAppend(
    { record: on, ...(withSameKey === undefined ? {} : { withSameKey }) },
    { ...request, processId: ID },
    NOW,
    validate,
  )
const earlier = buildEvent(
  { id: ID, lastSequence: 1 },
  { eventType: 'note', payload: 'first', replayKey: 'k' },
  NOW - 1,
)

describe('appending an event', () => {
  test('takes the next sequence and says where it comes from', () => {
    const decision = append({ eventType: 'note', payload: 'hello', replayKey: 'k' })
    expect(decision).toMatchObject({
      type: 'append',
      stored: {
        event: {
          processId: ID,
          sequence: 5,
          eventType: 'note',
          payload: 'hello',
          occurredAtMs: NOW,
          invocation: {
            scope: { sessionId: 'runtime' },
            subject: { processId: ID, sequence: 5, eventType: 'note' },
            causedBy: { type: 'process', processId: ID },
            replay: { key: 'k' },
          },
        },
      },
    })
  })

  test('to an unknown process fails', () => {
    const request = { eventType: 'note', payload: 'x', processId: ID }
    expect(() => decideAppend(undefined, request, NOW, validate)).toThrow(errorWith('process_unknown'))
  })

  test('again under its key returns the original', () => {
    expect(append({ eventType: 'note', payload: 'first', replayKey: 'k' }, earlier)).toEqual({
      type: 'replay',
      event: earlier.event,
    })
  })

  test.each([
    { what: 'another payload', request: { eventType: 'note', payload: 'second', replayKey: 'k' } },
    { what: 'another type', request: { eventType: 'process.waiting', payload: 'first', replayKey: 'k' } },
  ])('under a key that names $what is a conflict', ({ request }) => {
    expect(() => append(request, earlier)).toThrow(errorWith('process_event_replay_conflict'))
  })

  test('of −0 is the same payload as +0', () => {
    const zero = buildEvent(row, { eventType: 'process.waiting', payload: { at: -0 } }, NOW)
    const again = append({ eventType: 'process.waiting', payload: { at: 0 }, replayKey: 'k' }, zero)
    expect(again.type).toBe('replay')
  })

  test.each<{ what: string; request: AppendRequest; code: Parameters<typeof errorWith>[0] }>([
    {
      what: 'an undeclared type',
      request: { eventType: 'nothing', payload: null },
      code: 'process_event_undeclared',
    },
    {
      what: 'a payload that does not fit its schema',
      request: { eventType: 'note', payload: 7 },
      code: 'process_event_schema',
    },
    {
      what: 'a cancel request without key',
      request: { eventType: 'process.cancel_requested', payload: { reason: null } },
      code: 'process_event_replay_required',
    },
    {
      what: 'a cancel request with an empty key',
      request: { eventType: 'process.cancel_requested', payload: { reason: null }, replayKey: '' },
      code: 'process_event_replay_required',
    },
    ...TERMINAL_STATUSES.map(status => ({
      what: `the terminal type process.${status}`,
      request: { eventType: terminalEventType(status), payload: null, replayKey: 'k' },
      code: 'process_already_terminal' as const,
    })),
    ...Object.values(RESERVED_EVENT_TYPES).map(eventType => ({
      what: `the reserved type ${eventType}`,
      request: { eventType, payload: null },
      code: 'process_event_undeclared' as const,
    })),
  ])('of $what is refused as $code', ({ request, code }) => {
    expect(() => append(request)).toThrow(errorWith(code))
  })

  test('is refused by name where the type is reserved, even if a row declares it', () => {
    const name = RESERVED_EVENT_TYPES.ownerBack
    const declares = record({ eventTypes: [{ name, payloadSchema: true }] })
    const attempt = () => append({ eventType: name, payload: null }, undefined, declares)
    expect(attempt).toThrow(errorWith('process_event_undeclared'))
  })

  // Each request breaks two neighbouring rules: the earlier one answers.
  test.each<{ title: string; request: AppendRequest; withSameKey?: StoredEvent; answer: string }>([
    {
      title: 'a replay comes before the undeclared type',
      request: { eventType: 'gone', payload: null, replayKey: 'k' },
      withSameKey: buildEvent(row, { eventType: 'gone', payload: null, replayKey: 'k' }, NOW),
      answer: 'replay',
    },
    {
      title: 'a key conflict comes before the undeclared type',
      request: { eventType: 'gone', payload: null, replayKey: 'k' },
      withSameKey: earlier,
      answer: 'process_event_replay_conflict',
    },
    {
      title: 'a key conflict comes before the schema',
      request: { eventType: 'note', payload: 7, replayKey: 'k' },
      withSameKey: earlier,
      answer: 'process_event_replay_conflict',
    },
  ])('$title', ({ request, withSameKey, answer }) => {
    if (answer === 'replay') expect(append(request, withSameKey).type).toBe('replay')
    else expect(() => append(request, withSameKey)).toThrow(expect.objectContaining({ code: answer }))
  })

  test('to a process that has ended is allowed, as long as it does not end it again', () => {
    const ended = record({ ...row, status: 'completed' })
    expect(append({ eventType: 'note', payload: 'late' }, undefined, ended).type).toBe('append')
  })
})

describe('replay keys', () => {
  test.each([
    { key: replayKeys.terminal('p', 'process.failed'), is: 'process:p:terminal:process.failed' },
    { key: replayKeys.waiting('process:p:timer:nap#1'), is: 'process:p:timer:nap#1:waiting' },
    { key: replayKeys.resumed('process:p:timer:nap#1'), is: 'process:p:timer:nap#1:resumed' },
    { key: replayKeys.emitted('p', 2, 'note#1'), is: 'process:p:event:2:note#1' },
  ])('$is', ({ key, is }) => {
    expect(key).toBe(is)
  })

  test('a cancel is the same for the same reason, and another for another', () => {
    const { cancelRequested } = replayKeys
    expect(cancelRequested('p', 'stop')).toBe(cancelRequested('p', 'stop'))
    expect(cancelRequested('p', 'stop')).not.toBe(cancelRequested('p', 'now'))
    expect(cancelRequested('p', 'x'.repeat(100_000)).length).toBeLessThan(120)
  })
})
