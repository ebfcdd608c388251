import { expect, test } from 'vitest'
import { type CrashRun, leaseholdMatchers } from '../../src/testing/index.ts'
import { journalEntry } from '../model/fixtures.ts'

const run = (value: object): CrashRun => ({
  outcome: { status: 'completed', value: { ...value } },
  crashes: 0,
  attempts: 1,
  journal: [],
  effects: [],
})

test('a step is found by its name or its address, and not what merely begins so', () => {
  const journal = ['refund approval[c1]', 'refund[c1]'].map(address => journalEntry({ address }))
  const { toHaveDone } = leaseholdMatchers
  const done = (step: string, times = 1) => toHaveDone({ ...run({}), journal }, step, times).pass
  expect([done('refund'), done('refund[c1]'), done('refund approval')]).toEqual([true, true, true])
  expect(done('ref', 0)).toBe(true)
})

test('a value is the same in whatever order its members stand', () => {
  const { toHaveCompleted } = leaseholdMatchers
  expect(toHaveCompleted(run({ a: 1, b: [2] }), { b: [2], a: 1 }).pass).toBe(true)
  expect(toHaveCompleted(run({ a: 1, b: [2] }), { b: [3], a: 1 }).pass).toBe(false)
  expect(toHaveCompleted(run({ a: 1 })).pass).toBe(true)
})
