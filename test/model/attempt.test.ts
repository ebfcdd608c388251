import { describe, expect, test } from 'vitest'
import {
  attemptOwner,
  decideEnterBody,
  dueAfterAttempt,
  failuresAtOnce,
  failuresBeforeDeath,
} from '../../src/model/attempt.ts'
import { DISPOSITIONS, type FirstStarted } from '../../src/model/process.ts'
import { leaseOf, NOW, owner, stored } from './fixtures.ts'

const worker = owner('worker')
const lease = leaseOf(attemptOwner(worker, 'attempt-2'), { fence: 5 })
const startedBy = (attempt: string): FirstStarted => ({
  owner: owner('first'),
  attempt,
  fence: 1,
  startedAtMs: NOW - 9,
})

describe('entering the body', () => {
  test.each(DISPOSITIONS)('the first attempt of a %s process writes who started it', disposition => {
    expect(decideEnterBody(stored({ disposition }), lease, worker, NOW)).toEqual({
      type: 'entered',
      isFirst: true,
      firstStarted: { owner: worker, attempt: 'attempt-2', fence: 5, startedAtMs: NOW },
    })
  })

  test.each([
    { disposition: 'rerunnable', attempt: 'attempt-1', answer: 'entered' },
    { disposition: 'rerunnable', attempt: 'attempt-2', answer: 'entered' },
    { disposition: 'owner_bound', attempt: 'attempt-1', answer: 'refused' },
    { disposition: 'owner_bound', attempt: 'attempt-2', answer: 'entered' },
  ] as const)(
    'a $disposition process started by $attempt is $answer by attempt-2',
    ({ disposition, attempt, answer }) => {
      const row = stored({ disposition, firstStarted: startedBy(attempt) })
      expect(decideEnterBody(row, lease, worker, NOW).type).toBe(answer)
    },
  )

  test('who started it first never changes', () => {
    const firstStarted = startedBy('attempt-1')
    const decision = decideEnterBody(stored({ firstStarted }), lease, worker, NOW)
    expect(decision).toEqual({ type: 'entered', firstStarted, isFirst: false })
  })

  test('a re-claim of the same attempt under a new fence enters again', () => {
    const row = stored({ disposition: 'owner_bound', firstStarted: startedBy('attempt-2') })
    const reclaimed = leaseOf(attemptOwner(worker, 'attempt-2'), { fence: 9 })
    expect(decideEnterBody(row, reclaimed, worker, NOW)).toMatchObject({ type: 'entered', isFirst: false })
  })
})

describe('when an attempt ends without an outcome', () => {
  test.each([
    { end: 'shutdown', failures: 7, dueInMs: 0 },
    { end: 'transient_error', failures: 0, dueInMs: 1_000 },
    { end: 'transient_error', failures: 1, dueInMs: 2_000 },
    { end: 'transient_error', failures: 9, dueInMs: 512_000 },
    { end: 'transient_error', failures: 10, dueInMs: 600_000 },
    { end: 'transient_error', failures: 10_000, dueInMs: 600_000 },
  ] as const)('$end after $failures failures is due in $dueInMs ms', ({ end, failures, dueInMs }) => {
    expect(dueAfterAttempt(end, { ...stored(), failures }, lease, NOW)).toBe(NOW + dueInMs)
  })

  test('a cancel that came meanwhile is due at once', () => {
    const row = stored({ cancelRequest: { requestedAtMs: NOW } })
    expect(dueAfterAttempt('transient_error', { ...row, failures: 5 }, lease, NOW)).toBe(NOW)
  })

  test.each([
    { ranMs: 0, counted: 5 },
    { ranMs: 59_999, counted: 5 },
    { ranMs: 60_000, counted: 0 },
    { ranMs: 86_400_000, counted: 0 },
  ])(
    'after $ranMs ms under its lease, $counted of the five failures before still count',
    ({ ranMs, counted }) => {
      const held = leaseOf(attemptOwner(worker, 'attempt-2'), { ageMs: ranMs })
      expect(failuresAtOnce({ ...stored(), failures: 5 }, held, NOW)).toBe(counted)
    },
  )

  test.each([
    { title: 'a rerunnable process waits', patch: {}, counted: 5 },
    {
      title: 'an owner-bound one that has not started waits',
      patch: { disposition: 'owner_bound' },
      counted: 5,
    },
    {
      title: 'an owner-bound one that has is only to be ended',
      patch: { disposition: 'owner_bound', firstStarted: startedBy('attempt-2') },
      counted: 0,
    },
    { title: 'so is a cancelled one', patch: { cancelRequest: { requestedAtMs: NOW } }, counted: 0 },
  ] as const)('killed at once for the sixth time, $title', ({ patch, counted }) => {
    expect(failuresBeforeDeath({ ...stored(patch), failures: 5 }, lease, NOW)).toBe(counted)
  })
})
