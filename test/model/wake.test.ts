import { describe, expect, test } from 'vitest'
import { buildEvent } from '../../src/model/event.ts'
import type { SessionScope } from '../../src/model/session-scope.ts'
import { redirectWake, renderWake, wakeDeliveryOf, wakeDraft } from '../../src/model/wake.ts'
import { ID, NOW, record, wakeDelivery } from './fixtures.ts'

const SESSION: SessionScope = { sessionId: 's', agentFrameId: 'f' }
const waking = (dedupeKey: string, lastSequence = 6) =>
  buildEvent({ id: ID, lastSequence }, { eventType: 'news', payload: {} }, NOW, {
    wake: { input: 'it rains', dedupeKey },
  }).event
const delivery = (dedupeKey: string, scope: SessionScope | undefined = SESSION, lastSequence?: number) =>
  wakeDeliveryOf(record(), waking(dedupeKey, lastSequence), scope)

describe('a wake is delivered', () => {
  test('with its target, its event and the cause of its process (§6 #55)', () => {
    const causedBy = { type: 'turn', sessionId: 's', turnId: 't' } as const
    const row = record({ wakeTarget: SESSION, provenance: { originator: { type: 'host' }, causedBy } })
    const event = waking('key')
    expect(wakeDeliveryOf(row, event, undefined)).toEqual({
      wakeId: expect.stringMatching(/^wake:[0-9a-f]{64}$/),
      targetSessionId: 's',
      targetScopeId: 'session:s/frame:f',
      processId: ID,
      sequence: 7,
      eventType: 'news',
      eventInvocation: event.invocation,
      processCausedBy: causedBy,
      dedupeKey: 'key',
      input: 'it rains',
      createdAtMs: NOW,
    })
  })

  test('to the scope of the append rather than to the row’s target', () => {
    const row = record({ wakeTarget: SESSION })
    expect(wakeDeliveryOf(row, waking('key'), { sessionId: 'other' })?.targetScopeId).toBe('session:other')
  })

  test('to nobody where there is no target, and not at all where nothing wakes (§6 #53)', () => {
    expect(wakeDeliveryOf(record(), waking('key'), undefined)).toBeUndefined()
    const quiet = buildEvent({ id: ID, lastSequence: 0 }, { eventType: 'note', payload: {} }, NOW).event
    expect(wakeDeliveryOf(record({ wakeTarget: SESSION }), quiet, undefined)).toBeUndefined()
  })
})

describe('the id of a wake', () => {
  test('is the same for the same key and target, whatever the event (§6 #51)', () => {
    expect(delivery('daily', SESSION, 1)?.wakeId).toBe(delivery('daily', SESSION, 9)?.wakeId)
  })

  test.each<{ what: string; other: ReturnType<typeof delivery> }>([
    { what: 'key', other: delivery('weekly') },
    { what: 'session', other: delivery('daily', { sessionId: 't', agentFrameId: 'f' }) },
    { what: 'frame', other: delivery('daily', { sessionId: 's' }) },
  ])('is another for another $what', ({ other }) => {
    expect(other?.wakeId).not.toBe(delivery('daily')?.wakeId)
  })

  test('follows the wake to another session', () => {
    const sent = delivery('daily')
    const redirected = sent && redirectWake(sent, { sessionId: 't' })
    expect(redirected).toEqual(delivery('daily', { sessionId: 't' }))
  })
})

test('a model reads what woke it, and from where', () => {
  expect(renderWake(wakeDelivery({ sequence: 7 }))).toBe(
    `Background process wake\nProcess: ${ID}\nEvent: news #7\n\nit rains`,
  )
})

test('a session queues it once, as a turn of its own', () => {
  expect(wakeDraft(wakeDelivery({ sequence: 7 }))).toEqual({
    sourceKey: `process:${ID}:event:7:wake`,
    text: renderWake(wakeDelivery({ sequence: 7 })),
    boundary: 'earliest_safe',
    slot: 'exclusive',
  })
})
