import { describe, expect, test } from 'vitest'
import { carriedState, decideStartEpoch, stateEntry } from '../../src/model/epoch.ts'
import { errorWith, journalEntry, NOW, stored } from './fixtures.ts'

const written = { attempt: 'attempt-1', fence: 1, now: NOW }
const carrying = (state: number) => stateEntry(stored({}, { epoch: 1 }), { ...written, state })

describe('a rollover', () => {
  test.each([
    { title: 'into the next epoch starts it', epoch: 0, carried: undefined, asked: 1, answer: 'start' },
    { title: 'out of a later one as well', epoch: 1, carried: carrying(7), asked: 2, answer: 'start' },
    {
      title: 'with the state that it began with is a replay',
      epoch: 1,
      carried: carrying(7),
      asked: 1,
      answer: 'replay',
    },
  ])('$title', ({ epoch, carried, asked, answer }) => {
    expect(decideStartEpoch(stored({}, { epoch }), carried, { epoch: asked, state: 7 })).toEqual({
      type: answer,
    })
  })

  test.each([
    { title: 'with another state', epoch: 1, carried: carrying(8), asked: 1 },
    { title: 'into the first epoch', epoch: 0, carried: undefined, asked: 0 },
    { title: 'into one before', epoch: 2, carried: carrying(7), asked: 1 },
    { title: 'over one', epoch: 0, carried: undefined, asked: 2 },
  ])('$title conflicts', ({ epoch, carried, asked }) => {
    expect(() => decideStartEpoch(stored({}, { epoch }), carried, { epoch: asked, state: 7 })).toThrow(
      errorWith('process_epoch_conflict'),
    )
  })

  test('of a cancelled process starts nothing, but one that has happened has happened', () => {
    const cancelRequest = { requestedAtMs: NOW }
    expect(decideStartEpoch(stored({ cancelRequest }), undefined, { epoch: 1, state: 7 })).toEqual({
      type: 'cancel_requested',
    })
    expect(
      decideStartEpoch(stored({ cancelRequest }, { epoch: 1 }), carrying(7), { epoch: 1, state: 7 }),
    ).toEqual({ type: 'replay' })
  })

  test('of an owner-bound process is refused', () => {
    expect(() =>
      decideStartEpoch(stored({ disposition: 'owner_bound' }), undefined, { epoch: 1, state: 7 }),
    ).toThrow(errorWith('process_rollover_refused'))
  })
})

test('the state stands before the first step of its epoch, and is found among the others', () => {
  const state = carrying(7)
  expect(state).toMatchObject({ epoch: 1, position: 0, value: 7 })
  expect(carriedState([journalEntry(), state])).toBe(state)
  expect(carriedState([journalEntry()])).toBeUndefined()
})
