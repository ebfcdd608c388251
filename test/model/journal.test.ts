import { describe, expect, test } from 'vitest'
import {
  decideRunAnew,
  decideStep,
  type JournalEntry,
  mayReplace,
  operationIdOf,
  requireAllVisited,
  requireStepName,
  startByOf,
  stepAddress,
  stepDigest,
  unknownEffects,
} from '../../src/model/journal.ts'
import { errorWith, ID, journalEntry, NOW, TTL } from './fixtures.ts'

const call = { processId: ID, address: 'charge[card-1]', digest: 'digest' }
const failure = { name: 'CardDeclined', message: 'no funds', code: 'card_declined' }

describe('what the journal says about a call', () => {
  test.each<{ title: string; entry: JournalEntry | undefined; answer: object }>([
    { title: 'no entry: run', entry: undefined, answer: { type: 'run' } },
    { title: 'done: the value', entry: journalEntry({ value: 7 }), answer: { type: 'value', value: 7 } },
    { title: 'done without a value: null', entry: journalEntry(), answer: { type: 'value', value: null } },
    {
      title: 'failed: the same failure',
      entry: journalEntry({ status: 'failed', failure }),
      answer: { type: 'failure', failure },
    },
    {
      title: 'claimed and no result: unknown',
      entry: journalEntry({ status: 'claimed' }),
      answer: { type: 'unknown' },
    },
    {
      title: 'unknown: unknown',
      entry: journalEntry({ status: 'unknown' }),
      answer: { type: 'unknown', isTold: false },
    },
    {
      title: 'unknown and told, whatever was found out later: told again',
      entry: journalEntry({
        status: 'unknown',
        isTold: true,
        value: 7,
        resolution: { kind: 'by_hand', by: 'ana', answer: 'done', atMs: NOW },
      }),
      answer: { type: 'unknown', isTold: true },
    },
    { title: 'not done: run', entry: journalEntry({ status: 'not_done' }), answer: { type: 'run' } },
  ])('$title', ({ entry, answer }) => {
    expect(decideStep(entry, call)).toMatchObject(answer)
  })

  test.each(['claimed', 'done', 'failed', 'unknown'] as const)(
    'another digest at the address of a %s entry has diverged',
    status => {
      const entry = journalEntry({ status, digest: 'another' })
      expect(() => decideStep(entry, call)).toThrow(errorWith('step_diverged'))
      expect(() => decideStep(entry, call)).toThrow('charge[card-1]')
    },
  )
})

describe('what stands in the journal', () => {
  const STATUSES = ['claimed', 'done', 'failed', 'unknown', 'not_done'] as const

  test.each<{ title: string; entry: JournalEntry; by: readonly string[] }>([
    { title: 'a claim', entry: journalEntry({ status: 'claimed' }), by: STATUSES },
    { title: 'an unknown outcome', entry: journalEntry({ status: 'unknown' }), by: STATUSES },
    { title: 'a step that was not done', entry: journalEntry({ status: 'not_done' }), by: ['claimed'] },
    { title: 'a result', entry: journalEntry(), by: [] },
    { title: 'a failure', entry: journalEntry({ status: 'failed' }), by: [] },
    { title: 'what the code was told', entry: journalEntry({ status: 'unknown', isTold: true }), by: [] },
  ])('$title is replaced by: $by', ({ entry, by }) => {
    expect(STATUSES.filter(status => mayReplace(entry, { ...entry, status }))).toEqual(by)
  })
})

describe('running a step anew that was not done', () => {
  test.each([
    { title: 'its claimer is dead', startByMs: NOW + 500, isClaimerDead: true, answer: { type: 'run' } },
    { title: 'its last moment has come', startByMs: NOW, isClaimerDead: false, answer: { type: 'run' } },
    {
      title: 'its claimer may still begin',
      startByMs: NOW + 500,
      isClaimerDead: false,
      answer: { type: 'wait', ms: 500 },
    },
  ])('when $title', ({ startByMs, isClaimerDead, answer }) => {
    expect(decideRunAnew(journalEntry({ status: 'claimed', startByMs }), isClaimerDead, NOW)).toEqual(answer)
  })

  test.each([
    { timeoutMs: undefined, isAfterMs: TTL },
    { timeoutMs: 500, isAfterMs: 500 },
    { timeoutMs: TTL * 2, isAfterMs: TTL },
  ])('with a time limit of $timeoutMs ms it may begin for $isAfterMs ms', ({ timeoutMs, isAfterMs }) => {
    expect(startByOf(NOW, timeoutMs, TTL)).toBe(NOW + isAfterMs)
  })
})

describe('the identity of a step', () => {
  test.each([
    { name: 'charge', key: 'card-1', occurrence: 3, address: 'charge[card-1]' },
    { name: 'charge', key: undefined, occurrence: 3, address: 'charge#3' },
  ])('$name, $key, $occurrence is $address', ({ name, key, occurrence, address }) => {
    expect(stepAddress(name, key, occurrence)).toBe(address)
  })

  test.each([
    { title: 'blank', name: ' ', key: undefined },
    { title: 'with an opening bracket', name: 'a[b', key: undefined },
    { title: 'with a closing bracket', name: 'a]', key: undefined },
    { title: 'with "#"', name: 'a#1', key: undefined },
    { title: 'with a line break', name: 'a\nb', key: undefined },
    { title: 'of 201 characters', name: 'a'.repeat(201), key: undefined },
    { title: 'with an empty key', name: 'a', key: '' },
    { title: 'with a key of 1,001 characters', name: 'a', key: 'k'.repeat(1_001) },
    { title: 'with a control character in its key', name: 'a', key: 'k\u0000' },
    { title: 'with half of a character', name: 'a\ud83e', key: undefined },
    { title: 'with half of a character in its key', name: 'a', key: '🦊'.slice(1) },
  ])('a name $title is refused', ({ name, key }) => {
    expect(() => requireStepName(name, key, ID)).toThrow(errorWith('step_name_invalid'))
  })

  test.each([
    { name: 'charge the card', key: undefined },
    { name: 'a'.repeat(200), key: 'k'.repeat(1_000) },
    { name: 'prüfen', key: 'src/[id].ts#1' },
  ])('the name $name is accepted', ({ name, key }) => {
    expect(() => requireStepName(name, key, ID)).not.toThrow()
  })

  const base = { id: ID, incarnation: 'i', epoch: 0 }
  test('gives the same operation id on every attempt', () => {
    expect(operationIdOf(base, 'a#1')).toBe(operationIdOf({ ...base }, 'a#1'))
    expect(operationIdOf(base, 'a#1')).toMatch(/^op_[0-9a-f]{40}$/)
  })

  test.each([
    { what: 'life of the id', process: { ...base, incarnation: 'j' }, address: 'a#1' },
    { what: 'epoch', process: { ...base, epoch: 1 }, address: 'a#1' },
    { what: 'address', process: base, address: 'a#2' },
  ])('gives another operation id for another $what', ({ process, address }) => {
    expect(operationIdOf(process, address)).not.toBe(operationIdOf(base, 'a#1'))
  })

  const digested = { kind: 'step', effect: 'once', key: 'k', input: { a: 1, b: 2 } } as const
  test.each([
    { what: 'kind', other: { ...digested, kind: 'sleep' as const } },
    { what: 'effect', other: { ...digested, effect: 'repeatable' as const } },
    { what: 'key', other: { ...digested, key: 'l' } },
    { what: 'input', other: { ...digested, input: { a: 1, b: 3 } } },
  ])('has another digest for another $what', ({ other }) => {
    expect(stepDigest(other)).not.toBe(stepDigest(digested))
  })

  test('has the same digest whatever the order of its input', () => {
    expect(stepDigest({ ...digested, input: { b: 2, a: 1 } })).toBe(stepDigest(digested))
  })
})

describe('the journal of a process that returned', () => {
  const once = journalEntry({ address: 'charge#1' })
  const repeatable = journalEntry({ address: 'read#1', effect: 'repeatable' })

  test('must have been visited where a step has an effect', () => {
    expect(() => requireAllVisited(ID, [once, repeatable], new Set(['read#1']))).toThrow(
      errorWith('step_diverged'),
    )
    expect(() => requireAllVisited(ID, [once, repeatable], new Set(['charge#1']))).not.toThrow()
  })

  test('names the effects that nobody can vouch for', () => {
    const entries = (['claimed', 'unknown', 'done', 'failed'] as const).map(status =>
      journalEntry({ status, address: status, operationId: `op_${status}` }),
    )
    expect(unknownEffects(entries)).toEqual([
      { step: 'claimed', operationId: 'op_claimed' },
      { step: 'unknown', operationId: 'op_unknown' },
    ])
  })
})
