import { expect, test } from 'vitest'
import { DUE } from '../../src/model/due.ts'
import { earliestDeadline, isWaitDue, type WaitState } from '../../src/model/wait.ts'
import { NOW } from './fixtures.ts'

test.each([
  { when: 'registered', due: DUE.afterRegister(NOW), inMs: 2_000 },
  { when: 'submitted once', due: DUE.afterSubmit(NOW, 0), inMs: 30_000 },
  { when: 'submitted twice', due: DUE.afterSubmit(NOW, 1), inMs: 60_000 },
  { when: 'submitted five times', due: DUE.afterSubmit(NOW, 4), inMs: 480_000 },
  { when: 'submitted six times', due: DUE.afterSubmit(NOW, 5), inMs: 600_000 },
  { when: 'submitted without end', due: DUE.afterSubmit(NOW, 1e6), inMs: 600_000 },
  { when: 'leased until now', due: DUE.afterLease(NOW), inMs: 2_000 },
  { when: 'parked for an hour', due: DUE.afterPark(NOW + 3_600_000), inMs: 3_600_000 },
  { when: 'failed for the first time', due: DUE.afterFailure(NOW, 0), inMs: 1_000 },
  { when: 'failed for the fourth time', due: DUE.afterFailure(NOW, 3), inMs: 8_000 },
  { when: 'failed without end', due: DUE.afterFailure(NOW, 1e6), inMs: 600_000 },
  { when: 'proven dead with a token to be failed', due: DUE.afterDeathProof(NOW, true, 0), inMs: 2_000 },
  { when: 'proven dead without one', due: DUE.afterDeathProof(NOW, false, 0), inMs: 0 },
  { when: 'proven dead at once again', due: DUE.afterDeathProof(NOW, false, 1), inMs: 1_000 },
  { when: 'proven dead at once again, with a token', due: DUE.afterDeathProof(NOW, true, 4), inMs: 10_000 },
  { when: 'proven dead at once without end', due: DUE.afterDeathProof(NOW, false, 1e6), inMs: 600_000 },
])('a row that was $when is due in $inMs ms', ({ due, inMs }) => {
  expect(due).toBe(NOW + inMs)
})

test('a row parked without a deadline is never due', () => {
  expect(DUE.afterPark(undefined)).toBeUndefined()
})

const wait = (untilMs?: number): WaitState => ({
  key: `until ${untilMs}`,
  sinceMs: NOW,
  on: { type: 'timer' },
  ...(untilMs === undefined ? {} : { untilMs }),
})

test.each([
  { title: 'without a deadline is never due', untilMs: undefined, isDue: false },
  { title: 'is not due a millisecond early', untilMs: NOW + 1, isDue: false },
  { title: 'is due at its deadline', untilMs: NOW, isDue: true },
  { title: 'stays due after it', untilMs: NOW - 1, isDue: true },
])('a wait $title', ({ untilMs, isDue }) => {
  expect(isWaitDue(wait(untilMs), NOW)).toBe(isDue)
})

test.each([
  { waits: [], earliest: undefined },
  { waits: [undefined], earliest: undefined },
  { waits: [5, undefined, 3, 4], earliest: 3 },
])('of the deadlines $waits the earliest is $earliest', ({ waits, earliest }) => {
  expect(earliestDeadline(waits.map(wait))).toBe(earliest)
})
