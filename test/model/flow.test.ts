import { describe, expect, test } from 'vitest'
import {
  decideTurn,
  type Flow,
  findFlowProblem,
  joinFlow,
  parseQueue,
  queueOf,
  type TurnFacts,
  turnOf,
} from '../../src/model/flow.ts'

const NOW = 1_000_000
const PLACE: Flow = { concurrency: { key: 'k', limit: 2 } }
const RATE: Flow = { rate: { key: 'r', limit: 4, periodMs: 1_000, burst: 2 } }
const NOBODY: TurnFacts = { held: 0, aheadForPlace: 0, aheadForRate: 0 }
const go = (facts: object = {}) => ({ type: 'go', ...facts })
const wait = (on: string, key: string) => ({ type: 'wait', on, key })

describe('whose turn it is', () => {
  const CASES: readonly {
    readonly title: string
    readonly flow: Flow
    readonly facts?: Partial<TurnFacts>
    readonly attempts?: number
    readonly decision: object
  }[] = [
    { title: 'a free place is taken', flow: PLACE, facts: { held: 1 }, decision: go({ place: 'k' }) },
    {
      title: 'a full key is waited for',
      flow: PLACE,
      facts: { held: 2 },
      decision: wait('concurrency', 'k'),
    },
    {
      title: 'those ahead have the free places',
      flow: PLACE,
      facts: { held: 1, aheadForPlace: 1 },
      decision: wait('concurrency', 'k'),
    },
    {
      title: 'a place is needed for every attempt',
      flow: PLACE,
      facts: { held: 2 },
      attempts: 3,
      decision: wait('concurrency', 'k'),
    },
    { title: 'the first of a rate begins', flow: RATE, decision: go({ nextMs: NOW + 250 }) },
    {
      title: 'a burst comes before its time',
      flow: RATE,
      facts: { nextMs: NOW + 250 },
      decision: go({ nextMs: NOW + 500 }),
    },
    {
      title: 'after the burst the rate is waited for',
      flow: RATE,
      facts: { nextMs: NOW + 251 },
      decision: wait('rate', 'r'),
    },
    {
      title: 'those ahead have the rate',
      flow: RATE,
      facts: { nextMs: NOW + 100, aheadForRate: 1 },
      decision: wait('rate', 'r'),
    },
    {
      title: 'a pause saves up no more than the burst',
      flow: RATE,
      facts: { nextMs: 1 },
      decision: go({ nextMs: NOW + 250 }),
    },
    {
      title: 'what has begun before is not counted again',
      flow: RATE,
      facts: { nextMs: NOW + 9_000 },
      attempts: 1,
      decision: go(),
    },
    {
      title: 'a place first, and then the rate',
      flow: { ...PLACE, ...RATE },
      facts: { held: 2, nextMs: NOW + 9_000 },
      decision: wait('concurrency', 'k'),
    },
    {
      title: 'a free place is not held for the rate',
      flow: { ...PLACE, ...RATE },
      facts: { nextMs: NOW + 9_000 },
      decision: wait('rate', 'r'),
    },
  ]
  test.each(CASES)('$title', ({ flow, facts, attempts = 0, decision }) => {
    expect(decideTurn(flow, { attempts }, { ...NOBODY, ...facts }, NOW)).toEqual(decision)
  })
})

test('over a long time a rate lets through its limit in each period, however often it is asked', () => {
  const flow: Flow = { rate: { key: 'r', limit: 7, periodMs: 1_000 } }
  let nextMs: number | undefined
  const begun: number[] = []
  for (let now = NOW; now < NOW + 10_000; now += 1) {
    const decision = decideTurn(flow, { attempts: 0 }, { ...NOBODY, nextMs }, now)
    if (decision.type === 'wait') continue
    nextMs = decision.nextMs
    begun.push(now - NOW)
  }
  expect(begun.slice(0, 7)).toEqual([0, 0, 0, 0, 0, 0, 0].map((_, index) => index))
  expect(begun).toHaveLength(70 + 6)
})

describe('when the turn of one in a queue is', () => {
  test.each([
    {
      title: 'now, where a place is free',
      flow: PLACE,
      on: 'concurrency',
      state: { held: 0, ahead: 1 },
      at: NOW,
    },
    {
      title: 'unknown, where none is',
      flow: PLACE,
      on: 'concurrency',
      state: { held: 1, ahead: 1 },
      at: undefined,
    },
    {
      title: 'at the time of the rate',
      flow: RATE,
      on: 'rate',
      state: { held: 0, nextMs: NOW + 300, ahead: 0 },
      at: NOW + 50,
    },
    {
      title: 'later for each one ahead',
      flow: RATE,
      on: 'rate',
      state: { held: 0, nextMs: NOW + 300, ahead: 2 },
      at: NOW + 550,
    },
    { title: 'never in the past', flow: RATE, on: 'rate', state: { held: 0, nextMs: 5, ahead: 0 }, at: NOW },
  ] as const)('$title', ({ flow, on, state, at }) => {
    expect(turnOf(flow, on, state, NOW)).toBe(at)
  })
})

test.each([
  { on: 'concurrency', key: 'a:b' },
  { on: 'rate', key: 'concurrency:a' },
] as const)('the name of the queue $on of "$key" leads back to it', queue =>
  expect(parseQueue(queueOf(queue))).toEqual(queue),
)

test('a start wins over its kind, part by part', () => {
  const kinds: Flow = { ...PLACE, priority: 5 }
  expect(joinFlow(kinds, { priority: 1 })).toEqual({ ...PLACE, priority: 1 })
  expect(joinFlow(kinds, undefined)).toEqual(kinds)
  expect(joinFlow(undefined, {})).toBeUndefined()
})

test.each([
  { flow: { concurrency: { key: 'x'.repeat(257), limit: 1 } }, problem: /257 characters/ },
  { flow: { rate: { key: 'r', limit: 1, periodMs: 1, burst: 0 } }, problem: /burst of 0/ },
  { flow: { fairness: { key: '' } }, problem: /0 bytes/ },
  { flow: { fairness: { key: 'k', weight: 1_001 } }, problem: /weight of 1001/ },
])('$problem is said of what Temporal or a queue could not take', ({ flow, problem }) => {
  expect(findFlowProblem(flow)).toMatch(problem)
})
