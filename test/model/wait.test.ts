import { expect, test } from 'vitest'
import { earliestDeadline, isWaitDue, type WaitState, withoutWait, withWait } from '../../src/model/wait.ts'

const wait = (key: string, untilMs?: number): WaitState => ({
  key,
  sinceMs: 1,
  on: { type: 'timer' },
  ...(untilMs === undefined ? {} : { untilMs }),
})
const [nap, other] = [wait('nap', 5), wait('other')]

test.each<{ title: string; to: readonly WaitState[]; add: WaitState; becomes: unknown }>([
  { title: 'the first', to: [], add: nap, becomes: [nap] },
  { title: 'one more', to: [nap], add: other, becomes: [nap, other] },
  { title: 'one of the same key', to: [nap, other], add: wait('nap', 9), becomes: [wait('nap', 9), other] },
  { title: 'one without the deadline', to: [nap], add: wait('nap'), becomes: [wait('nap')] },
  { title: 'the very same', to: [nap, other], add: { ...nap }, becomes: undefined },
])('adding $title', ({ to, add, becomes }) => {
  expect(withWait(to, add)).toStrictEqual(becomes)
})

test.each<{ title: string; from: readonly WaitState[]; key?: string; leaves: unknown }>([
  { title: 'one', from: [nap, other], key: 'nap', leaves: [other] },
  { title: 'the last', from: [nap], key: 'nap', leaves: [] },
  { title: 'all', from: [nap, other], leaves: [] },
  { title: 'one that is not there', from: [nap], key: 'other', leaves: undefined },
  { title: 'all of none', from: [], leaves: undefined },
])('taking away $title', ({ from, key, leaves }) => {
  expect(withoutWait(from, key)).toStrictEqual(leaves)
})

test.each([
  { waits: [], deadline: undefined },
  { waits: [other], deadline: undefined },
  { waits: [wait('late', 9), other, nap], deadline: 5 },
])('the earliest deadline of $waits is $deadline', ({ waits, deadline }) => {
  expect(earliestDeadline(waits)).toBe(deadline)
})

test('a wait is due at its deadline, and without one never', () => {
  expect([isWaitDue(nap, 4), isWaitDue(nap, 5), isWaitDue(other, 1e15)]).toEqual([false, true, false])
})
