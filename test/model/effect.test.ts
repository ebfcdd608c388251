import { describe, expect, test } from 'vitest'
import { decideResolve, type Effect, effectOf, type ResolveRequest } from '../../src/model/effect.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import type { StoredLease } from '../../src/model/lease.ts'
import { errorWith, ID, journalEntry, LAPSED, leaseOf, NOW, owner } from './fixtures.ts'

const ANA = { ...owner('ana'), incarnationId: 'attempt-1' }
const held: StoredLease = { fence: 1, holder: leaseOf(ANA) }
const lapsed: StoredLease = { fence: 1, holder: leaseOf(ANA, { ageMs: LAPSED }) }
const superseded: StoredLease = { fence: 2, holder: leaseOf(owner('ben'), { fence: 2 }) }
const proven: StoredLease = { fence: 1, deathProof: { owner: ANA, fence: 1, provenAtMs: NOW } }

const by = (answer: 'done' | 'not_done') => ({ kind: 'by_hand', by: 'ana', answer, atMs: NOW - 1 }) as const

/** Claimed by an attempt of worker ana's; its last moment to begin is past. */
const claimed = journalEntry({ status: 'claimed', claimedBy: owner('ana'), startByMs: NOW })
const soon = { ...claimed, startByMs: NOW + 500 }
const unknown = journalEntry({ status: 'unknown', failure: { name: 'Error', message: 'reset' } })
const told = { ...unknown, isTold: true } as const

describe('the ledger says of a once step', () => {
  test.each<{ title: string; entry: JournalEntry; lease?: StoredLease; state: Effect['state'] }>([
    { title: 'that has its result', entry: journalEntry({ value: 1 }), state: 'done' },
    { title: 'that was said to be not done', entry: journalEntry({ status: 'failed' }), state: 'not_done' },
    {
      title: 'whose value could not be stored',
      entry: journalEntry({
        status: 'failed',
        failure: { name: 'E', message: 'm', code: 'step_value_invalid' },
      }),
      state: 'done',
    },
    { title: 'that may run again', entry: journalEntry({ status: 'not_done' }), state: 'not_done' },
    { title: 'whose attempt holds the process', entry: claimed, lease: held, state: 'running' },
    { title: 'whose attempt has lapsed', entry: claimed, lease: lapsed, state: 'unknown' },
    { title: 'whose attempt was superseded', entry: claimed, lease: superseded, state: 'unknown' },
    { title: 'whose attempt was let go', entry: claimed, state: 'unknown' },
    { title: 'that threw', entry: unknown, lease: held, state: 'unknown' },
    { title: 'that the code was told of', entry: told, state: 'unknown' },
    {
      title: 'that was found done after that',
      entry: { ...told, resolution: by('done') },
      state: 'done',
    },
    {
      title: 'that was claimed again after it was found not done',
      entry: { ...claimed, resolution: by('not_done') },
      state: 'unknown',
    },
  ])('$title: $state', ({ entry, lease, state }) => {
    expect(effectOf(entry, lease, NOW)).toMatchObject({ step: entry.address, operationId: 'op_1', state })
  })
})

const request = (patch: Partial<ResolveRequest> = {}): ResolveRequest => ({
  processId: ID,
  epoch: 0,
  step: 'charge[card-1]',
  answer: { value: { receipt: 7 } },
  by: 'ben',
  ...patch,
})

describe('a word on an unknown step is taken', () => {
  const cases: {
    title: string
    entry: JournalEntry
    lease?: StoredLease
    patch?: Partial<ResolveRequest>
  }[] = [
    { title: 'when its claimer’s last moment to begin has passed', entry: claimed },
    { title: 'when its claimer was superseded', entry: claimed, lease: superseded },
    { title: 'when its claimer is proven dead by the registry', entry: soon, lease: proven },
    {
      title: 'when its claimer is dead by the operating system’s word, before its lease has lapsed',
      entry: soon,
      lease: held,
      patch: { deadWorker: owner('ana').incarnationId },
    },
    { title: 'when the attempt itself has written it, under its lease', entry: unknown, lease: held },
  ]

  test.each(cases)('$title', ({ entry, lease, patch }) => {
    expect(decideResolve(entry, lease, request(patch), NOW)).toEqual({
      type: 'resolve',
      entry: {
        ...entry,
        status: 'done',
        value: { receipt: 7 },
        endedAtMs: NOW,
        resolution: { kind: 'by_hand', by: 'ben', answer: 'done', atMs: NOW },
      },
    })
    expect(decideResolve(entry, lease, request({ ...patch, answer: 'not_done' }), NOW)).toMatchObject({
      type: 'resolve',
      entry: { status: 'not_done', resolution: { answer: 'not_done' } },
    })
  })

  test('for the ledger alone when the code was told', () => {
    expect(decideResolve(told, undefined, request(), NOW)).toMatchObject({
      type: 'resolve',
      entry: { status: 'unknown', isTold: true, value: { receipt: 7 }, resolution: { answer: 'done' } },
    })
  })
})

describe('a word on a step is not taken', () => {
  test.each([
    { title: 'while the attempt that claimed it holds the process', entry: claimed, lease: held },
    { title: 'while its claimer may still begin it', entry: soon, lease: superseded },
    {
      title: 'on the death of another worker',
      entry: soon,
      lease: held,
      deadWorker: owner('ben').incarnationId,
    },
  ])('$title', ({ entry, lease, deadWorker }) => {
    const asked = request(deadWorker === undefined ? {} : { deadWorker })
    for (const answer of [asked.answer, 'not_done' as const]) {
      expect(() => decideResolve(entry, lease, { ...asked, answer }, NOW)).toThrow(
        errorWith('step_in_flight'),
      )
    }
  })

  test.each<{ title: string; entry: JournalEntry; answer: ResolveRequest['answer'] }>([
    { title: 'that has its result', entry: journalEntry({ value: 1 }), answer: { value: 1 } },
    { title: 'that failed as not done', entry: journalEntry({ status: 'failed' }), answer: 'not_done' },
    {
      title: 'that was found done with another value',
      entry: journalEntry({ value: 8, resolution: by('done') }),
      answer: { value: 7 },
    },
    {
      title: 'that was found done',
      entry: journalEntry({ value: 7, resolution: by('done') }),
      answer: 'not_done',
    },
    {
      title: 'that was found not done',
      entry: journalEntry({ status: 'not_done', resolution: by('not_done') }),
      answer: { value: 7 },
    },
    {
      title: 'that was found not done, and done since',
      entry: journalEntry({ value: 7, resolution: by('not_done') }),
      answer: 'not_done',
    },
    {
      title: 'that the code was told of and that was found done',
      entry: { ...told, value: 7, resolution: by('done') },
      answer: 'not_done',
    },
  ])('$title', ({ entry, answer }) => {
    expect(() => decideResolve(entry, undefined, request({ answer }), NOW)).toThrow(
      errorWith('step_resolution_conflict'),
    )
  })

  test.each([
    { title: 'that is not there', entry: undefined },
    { title: 'that may be repeated', entry: journalEntry({ effect: 'repeatable' }) },
  ])('$title', ({ entry }) => {
    expect(() => decideResolve(entry, undefined, request(), NOW)).toThrow(errorWith('step_not_found'))
  })
})

describe('the same word again is replayed, whoever says it', () => {
  test.each<{ title: string; entry: JournalEntry; answer: ResolveRequest['answer'] }>([
    { title: 'done', entry: journalEntry({ value: 7, resolution: by('done') }), answer: { value: 7 } },
    {
      title: 'done, as its own onUnknown has found',
      entry: journalEntry({ value: 7, resolution: { kind: 'reconcile', answer: 'done', atMs: NOW } }),
      answer: { value: 7 },
    },
    {
      title: 'not done',
      entry: journalEntry({ status: 'not_done', resolution: by('not_done') }),
      answer: 'not_done',
    },
    {
      title: 'done, of one that the code was told of',
      entry: { ...told, value: 7, resolution: by('done') },
      answer: { value: 7 },
    },
    {
      title: 'not done, of one that the code was told of',
      entry: { ...told, resolution: by('not_done') },
      answer: 'not_done',
    },
  ])('$title', ({ entry, answer }) => {
    expect(decideResolve(entry, undefined, request({ answer, by: 'eve' }), NOW)).toEqual({
      type: 'replay',
      entry,
    })
  })
})
