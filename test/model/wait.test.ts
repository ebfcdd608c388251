import { describe, expect, test } from 'vitest'
import { buildEvent, type ProcessEvent } from '../../src/model/event.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import {
  awaitedKey,
  awaitedKeysOf,
  awaitedProcess,
  isWaitDue,
  satisfyWaits,
  type WaitCondition,
  type WaitState,
} from '../../src/model/wait.ts'
import { NOW } from './fixtures.ts'

const on = (condition: WaitCondition, patch: Partial<WaitState> = {}): WaitState => ({
  key: `w:${JSON.stringify(condition)}`,
  sinceMs: 1,
  on: condition,
  ...patch,
})

function event(processId: string, eventType: string, { sequence = 3, isEnd = false } = {}): ProcessEvent {
  const semantics = isEnd
    ? { terminal: { state: 'completed', output: { status: 'completed', value: 1 } } as const }
    : undefined
  const record = { id: processId as ProcessId, lastSequence: sequence - 1 }
  return buildEvent(record, { eventType, payload: null }, NOW, semantics).event
}

const END: WaitCondition = { type: 'process', processId: 'child' }
const GO: WaitCondition = { type: 'signal', name: 'go' }
const NEWS: WaitCondition = { type: 'event', processId: 'child', eventType: 'news', after: 2 }

describe('a wait of the process "me"', () => {
  test.each<{ what: string; condition: WaitCondition; event: ProcessEvent; is: boolean }>([
    { what: 'a signal', condition: GO, event: event('me', 'signal.go'), is: true },
    { what: 'another signal', condition: GO, event: event('me', 'signal.stop'), is: false },
    { what: "another's signal", condition: GO, event: event('child', 'signal.go'), is: false },
    {
      what: 'the end',
      condition: END,
      event: event('child', 'process.completed', { isEnd: true }),
      is: true,
    },
    {
      what: 'an end of its own kind',
      condition: END,
      event: event('child', 'done', { isEnd: true }),
      is: true,
    },
    { what: "another's end", condition: END, event: event('other', 'done', { isEnd: true }), is: false },
    { what: 'an event that is no end', condition: END, event: event('child', 'news'), is: false },
    { what: 'the event', condition: NEWS, event: event('child', 'news'), is: true },
    { what: 'an earlier one', condition: NEWS, event: event('child', 'news', { sequence: 2 }), is: false },
    { what: 'one of another type', condition: NEWS, event: event('child', 'note'), is: false },
    { what: "another's event", condition: NEWS, event: event('other', 'news'), is: false },
    { what: 'any event', condition: { type: 'timer' }, event: event('me', 'signal.go'), is: false },
    {
      what: 'any event',
      condition: { type: 'unknown_step', step: 's' },
      event: event('me', 'note'),
      is: false,
    },
    {
      what: 'any event',
      condition: { type: 'external_key', key: 'k' },
      event: event('me', 'note'),
      is: false,
    },
  ])('$condition is satisfied by $what: $is', ({ condition, event, is }) => {
    const waits = [on(condition)]
    const after = satisfyWaits(waits, 'me', event)
    expect(after[0]?.satisfiedAtMs).toBe(is ? NOW : undefined)
    if (!is) expect(after).toBe(waits)
  })

  test('that is satisfied stays so, and the others beside it wait on', () => {
    const waits = [on(GO, { satisfiedAtMs: 5 }), on(END)]
    expect(satisfyWaits(waits, 'me', event('me', 'signal.go'))).toBe(waits)
    const both = satisfyWaits(waits, 'me', event('child', 'done', { isEnd: true }))
    expect(both.map(({ satisfiedAtMs }) => satisfiedAtMs)).toEqual([5, NOW])
  })

  test.each([
    { what: 'open-ended', patch: {}, is: false },
    { what: 'before its deadline', patch: { untilMs: NOW + 1 }, is: false },
    { what: 'at its deadline', patch: { untilMs: NOW }, is: true },
    { what: 'satisfied', patch: { satisfiedAtMs: NOW - 9 }, is: true },
    { what: 'satisfied before its deadline', patch: { satisfiedAtMs: NOW, untilMs: NOW + 9 }, is: true },
  ])('$what is due: $is', ({ patch, is }) => {
    expect(isWaitDue(on(GO, patch), NOW)).toBe(is)
  })
})

describe('what a wait is found by', () => {
  test.each<{ condition: WaitCondition; by: ProcessEvent }>([
    { condition: END, by: event('child', 'done', { isEnd: true }) },
    { condition: NEWS, by: event('child', 'news') },
  ])('$condition: what satisfies it', ({ condition, by }) => {
    expect(awaitedKeysOf(by)).toContain(awaitedKey(on(condition)))
    expect(awaitedProcess(on(condition))).toBe('child')
  })

  test.each<WaitCondition>([{ type: 'timer' }, GO, { type: 'unknown_step', step: 's' }])(
    '%j: its own row only',
    condition => {
      expect(awaitedKey(on(condition))).toBeUndefined()
      expect(awaitedProcess(on(condition))).toBeUndefined()
    },
  )

  test('an answer from outside: its key', () => {
    expect(awaitedKey(on({ type: 'external_key', key: 'k' }))).toBe('external_key#k')
  })

  test('no more once it is satisfied', () => {
    expect(awaitedKey(on(END, { satisfiedAtMs: NOW }))).toBeUndefined()
  })

  test('is another for every process and type', () => {
    const events = [event('a', 'b:c'), event('a:b', 'c'), event('a', 'b'), event('b', 'b'), event('a', 'b#c')]
    expect(new Set(events.flatMap(awaitedKeysOf)).size).toBe(events.length)
  })
})
