import { describe, expect, test } from 'vitest'
import {
  type AppendRequest,
  buildEvent,
  buildRegistryEvent,
  CANCEL_REQUESTED,
  CORE_EVENT_TYPES,
  decideAppend,
  projectEvent,
  RESERVED_EVENT_TYPES,
  replayKeys,
  type StoredEvent,
  terminalEventType,
  wakeOn,
} from '../../src/model/event.ts'
import type { EventSemantics } from '../../src/model/event-semantics.ts'
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
      isRepair: false,
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

describe('an event that ends the process', () => {
  const semantics: EventSemantics = { terminal: { state: 'failed', awaitOutput: { pointer: '/why' } } }
  const types = [{ name: 'broken', payloadSchema: true, semantics }, ...CORE_EVENT_TYPES]
  const on = record({
    eventTypes: types,
    waits: [{ key: 'w', sinceMs: 1, on: { type: 'timer' } }],
    silentSinceMs: 1,
  })
  const request = { eventType: 'broken', payload: { why: 'no disk' }, replayKey: 'k' }
  const outcome = {
    status: 'failed',
    class: 'execution',
    code: 'process_failed',
    message: 'no disk',
    raw: 'no disk',
  }

  const built = () => {
    const decision = append(request, undefined, on)
    if (decision.type !== 'append') throw new Error(decision.type)
    return decision.stored
  }

  test('gives the row its outcome, and takes its waits and silence (§6 #43)', () => {
    const ended = projectEvent(on, built().event)
    expect(ended).toMatchObject({ status: 'failed', outcome, waits: [], updatedAtMs: NOW, lastSequence: 1 })
    expect(ended).not.toHaveProperty('silentSinceMs')
  })

  test.each(['', undefined])('needs a replay key, not %j (§6 #38)', replayKey => {
    const { replayKey: _, ...rest } = request
    const keyless = replayKey === undefined ? rest : { ...rest, replayKey }
    expect(() => append(keyless, undefined, on)).toThrow(errorWith('process_event_replay_required'))
  })

  test('is refused where the process has ended (§6 #40)', () => {
    const ended = record({ ...on, status: 'completed' })
    expect(() => append(request, undefined, ended)).toThrow(errorWith('process_already_terminal'))
  })

  test('again, is a replay of an ended row and repairs one that is not', () => {
    const withSameKey = built()
    expect(append(request, withSameKey, on)).toMatchObject({ type: 'replay', isRepair: true })
    const ended = projectEvent(on, withSameKey.event)
    expect(append(request, withSameKey, ended)).toMatchObject({ type: 'replay', isRepair: false })
  })
})

test('a signal to a process that has ended is refused', () => {
  const eventTypes = [{ name: 'signal.go', payloadSchema: true }]
  const signal = { eventType: 'signal.go', payload: null }
  expect(append(signal, undefined, record({ eventTypes })).type).toBe('append')
  const ended = record({ eventTypes, status: 'failed' })
  expect(() => append(signal, undefined, ended)).toThrow(errorWith('process_already_terminal'))
})

describe("the registry's own event", () => {
  test('wakes as its core type was declared to', () => {
    const eventTypes = [wakeOn(CANCEL_REQUESTED, { input: { pointer: '/reason' } })]
    const request = { eventType: CANCEL_REQUESTED, payload: { reason: 'enough' }, replayKey: 'k' }
    const { event } = buildRegistryEvent(record({ eventTypes }), request, NOW)
    expect(event.semantics).toEqual({ wake: { input: 'enough', dedupeKey: `${ID}:1` } })
  })

  test.each([RESERVED_EVENT_TYPES.ownerSilent, RESERVED_EVENT_TYPES.ownerBack])('%s wakes', eventType => {
    const { event } = buildRegistryEvent(record(), { eventType, payload: {} }, NOW)
    expect(event.semantics?.wake?.input).toContain('owner')
  })

  test('only a core type can be made to wake that way', () => {
    expect(() => wakeOn('note', { input: 'payload' })).toThrow(errorWith('usage'))
  })
})
