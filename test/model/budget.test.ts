import { describe, expect, test } from 'vitest'
import {
  type Budget,
  type BudgetLedger,
  closed,
  decideReserve,
  hasReserved,
  newLedger,
  readBudget,
  settled,
} from '../../src/model/budget.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import { errorWith } from './fixtures.ts'

const [PARENT, CHILD] = ['parent' as ProcessId, 'child' as ProcessId]

const ledger = (limits: Budget, processId = CHILD): BudgetLedger =>
  newLedger(processId, { limits, within: [], sinceMs: 100 })

/** The ledgers as the call leaves them. */
function reserved(ledgers: readonly BudgetLedger[], by: ProcessId, id: string, tokens: number, sure = 0) {
  const decision = decideReserve(ledgers, by, { id, asked: { tokens }, sure: { tokens: sure } }, 100)
  return decision.type === 'reserved' ? decision.ledgers : expect.fail(JSON.stringify(decision))
}

test('nothing is reserved anywhere where one of them has no room', () => {
  const ledgers = [ledger({ tokens: 10 }), ledger({ tokens: 4 }, PARENT)]
  expect(decideReserve(ledgers, CHILD, { id: 'a', asked: { tokens: 5 } }, 100)).toEqual({
    type: 'exceeded',
    limit: 'tokens',
    processId: PARENT,
    allowed: 4,
    used: 0,
    asked: 5,
  })
})

describe('the time that is left', () => {
  test.each<[string, readonly Budget[], number | undefined]>([
    ['is no matter where none is limited', [{ tokens: 1 }], undefined],
    ['counts from the beginning of the process', [{ wallTimeMs: 50 }], 30],
    ['is the least of all of them', [{ wallTimeMs: 50 }, { wallTimeMs: 21 }, {}], 1],
  ])('%s', (_, budgets, leftMs) => {
    const ledgers = budgets.map(limits => ledger(limits))
    const decision = decideReserve(ledgers, CHILD, { id: 'a', asked: {} }, 120)
    expect(decision.type === 'reserved' && decision.time?.leftMs).toBe(leftMs)
  })

  test('is none when it is over', () => {
    expect(decideReserve([ledger({ wallTimeMs: 20 })], CHILD, { id: 'a', asked: {} }, 120)).toMatchObject({
      type: 'exceeded',
      limit: 'wallTimeMs',
      used: 20,
    })
  })
})

describe('a process that has ended', () => {
  const [before] = reserved([ledger({}, PARENT)], PARENT, 'own', 7)
  const [both] = reserved([before ?? expect.fail()], CHILD, 'a', 50, 20)
  const [all = expect.fail()] = reserved([both ?? expect.fail()], CHILD, 'b', 3)

  test('leaves of its calls what is sure, and of those of others everything', () => {
    const left = closed(all, CHILD)
    expect(left.spent).toMatchObject({ tokens: 20 })
    expect(left.reserved).toMatchObject({ own: { tokens: 7 } })
    expect([hasReserved(all, CHILD), hasReserved(left, CHILD), hasReserved(left, PARENT)]).toEqual([
      true,
      false,
      true,
    ])
  })

  test('leaves what it has settled as it is', () => {
    const left = settled(settled(all, 'a', { tokens: 30 }), 'b', { tokens: 3 })
    expect(closed(left, CHILD)).toEqual(left)
  })
})

test('a call that is made again after a crash counts whole, and is reserved once more', () => {
  const [once = expect.fail()] = reserved([ledger({ tokens: 100 })], CHILD, 'a', 50, 20)
  const [twice] = reserved([once], CHILD, 'a', 50, 20)
  expect(twice).toMatchObject({ spent: { tokens: 50 }, reserved: { a: { tokens: 50 } } })
})

test.each([1, 'much', [], { token: 1 }, { tokens: -1 }, { tokens: '1' }, { wallTimeMs: Number.NaN }])(
  'the policy’s budget %j is refused',
  stated => {
    expect(() => readBudget(stated)).toThrow(errorWith('process_env_invalid'))
  },
)
