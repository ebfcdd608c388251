import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Parking } from '../../src/execution/parking.ts'
import type { WaitState } from '../../src/model/wait.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'

const GRACE_MS = 20

const waitFor = (key: string, untilMs?: number): WaitState => ({
  key,
  sinceMs: 0,
  on: { type: 'timer' },
  ...(untilMs === undefined ? {} : { untilMs }),
})

const noSlot = { rest: () => {}, resume: async () => {} }

function park(answer: () => Promise<boolean> = async () => true) {
  const parked: string[][] = []
  const parking = new Parking(noSlot, {
    graceMs: GRACE_MS,
    now: Date.now,
    park: waits => {
      parked.push(waits.map(wait => wait.key))
      return answer()
    },
  })
  onTestFinished(() => parking.stop())
  return { parking, parked }
}

const forEver = () => new Promise<void>(() => {})

/** Long enough for a park that should not happen to have happened. */
const severalGraces = () => sleep(GRACE_MS * 5)

test('with nothing but waits, all of them are parked after the grace', async () => {
  const { parking, parked } = park()
  for (const key of ['a', 'b']) parking.during(() => parking.duringWait(waitFor(key), forEver))
  await eventually(() => expect(parked).toEqual([['a', 'b']]))
})

test('while a call is in flight there is no park, and the grace begins anew after it', async () => {
  const { parking, parked } = park()
  const gate = createGate()
  parking.during(() => parking.duringWait(waitFor('a'), forEver))
  const call = parking.during(() => gate.pass())
  await severalGraces()
  expect(parked).toEqual([])
  gate.open()
  await call
  await eventually(() => expect(parked).toEqual([['a']]))
})

test('calls one after the other hold off the park for as long as they come', async () => {
  const { parking, parked } = park()
  parking.during(() => parking.duringWait(waitFor('a'), forEver))
  for (let i = 0; i < 20; i++) await parking.during(() => sleep(GRACE_MS / 4))
  expect(parked).toEqual([])
})

test('without a wait there is no park', async () => {
  const { parking, parked } = park()
  await parking.during(async () => {})
  await severalGraces()
  expect(parked).toEqual([])
})

test('a wait that ends within the grace is not worth a park', async () => {
  const { parking, parked } = park()
  await parking.during(() =>
    parking.duringWait(waitFor('a', Date.now() + GRACE_MS / 2), () => sleep(GRACE_MS * 3)),
  )
  expect(parked).toEqual([])
})

test('a call that comes while the park is being written waits for its answer', async () => {
  const answer = Promise.withResolvers<boolean>()
  const { parking, parked } = park(() => answer.promise)
  const calls: string[] = []
  parking.during(() => parking.duringWait(waitFor('a'), forEver))
  await eventually(() => parked.length === 1)
  const call = parking.during(async () => void calls.push('called'))
  await severalGraces()
  expect(calls).toEqual([])
  answer.resolve(false)
  await call
  expect(calls).toEqual(['called'])
})

test('a wait that ends while the park is being written is left waiting when the park holds', async () => {
  const answer = Promise.withResolvers<boolean>()
  const { parking, parked } = park(() => answer.promise)
  const gate = createGate()
  const wait = parking.during(() => parking.duringWait(waitFor('a'), () => gate.pass()))
  await eventually(() => parked.length === 1)
  gate.open()
  await severalGraces()
  answer.resolve(true)
  expect(await Promise.race([wait, severalGraces().then(() => 'left waiting')])).toBe('left waiting')
})

test('a stopped one parks no more', async () => {
  const { parking, parked } = park()
  parking.during(() => parking.duringWait(waitFor('a'), forEver))
  // Lets the wait begin, and is shorter than the grace.
  await sleep(1)
  parking.stop()
  await severalGraces()
  expect(parked).toEqual([])
})

test('without options it never parks', async () => {
  const parking = new Parking(noSlot, undefined)
  await parking.during(() => parking.duringWait(waitFor('a'), () => sleep(GRACE_MS)))
})
