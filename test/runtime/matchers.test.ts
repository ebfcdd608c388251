import { expect, test } from 'vitest'
import { type CrashRun, leaseholdMatchers } from '../../src/testing/index.ts'

const run = (value: object): CrashRun => ({
  outcome: { status: 'completed', value: { ...value } },
  crashes: 0,
  attempts: 1,
  journal: [],
  effects: [],
})

test('a value is the same in whatever order its members stand', () => {
  const { toHaveCompleted } = leaseholdMatchers
  expect(toHaveCompleted(run({ a: 1, b: [2] }), { b: [2], a: 1 }).pass).toBe(true)
  expect(toHaveCompleted(run({ a: 1, b: [2] }), { b: [3], a: 1 }).pass).toBe(false)
  expect(toHaveCompleted(run({ a: 1 })).pass).toBe(true)
})
