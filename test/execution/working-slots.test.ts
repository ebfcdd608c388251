import { expect, test } from 'vitest'
import { WorkingSlots } from '../../src/execution/working-slots.ts'

/** What is true by now of a promise that settles without any I/O. */
const isSettled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>(resolve => setImmediate(() => resolve(false))),
  ])

test.each([0, -1, 1.5, Number.NaN])('a concurrency of %d is refused (§6 #202)', limit => {
  expect(() => new WorkingSlots(limit)).toThrow('whole number from 1')
})

test('as many work as there are slots; the others come in their order', async () => {
  const slots = new WorkingSlots(2)
  const [first, second] = [await slots.take(), await slots.take()]
  const order: string[] = []
  const third = slots.take().then(() => order.push('third'))
  const fourth = slots.take().then(() => order.push('fourth'))
  expect(await isSettled(third)).toBe(false)
  expect(slots).toMatchObject({ working: 2, free: 0 })
  first.end()
  second.end()
  await Promise.all([third, fourth])
  expect(order).toEqual(['third', 'fourth'])
  expect(slots.working).toBe(2)
})

test('one that rests lets another work, and goes on when its turn has come', async () => {
  const slots = new WorkingSlots(1)
  const parent = await slots.take()
  parent.rest()
  expect(slots).toMatchObject({ working: 0, resting: 1, free: 1 })
  const child = await slots.take()
  const resumed = parent.resume()
  expect(await isSettled(resumed)).toBe(false)
  expect(slots).toMatchObject({ working: 1, resting: 0, free: 0 })
  child.end()
  await resumed
  expect(slots.working).toBe(1)
  parent.end()
  expect(slots).toMatchObject({ working: 0, resting: 0, free: 1 })
})

test('calls that resume together share one turn', async () => {
  const slots = new WorkingSlots(1)
  const slot = await slots.take()
  slot.rest()
  await Promise.all([slot.resume(), slot.resume(), slot.resume()])
  expect(slots.working).toBe(1)
})

test('one that ends while it rests, or while it waits for its turn, leaves nothing behind', async () => {
  const slots = new WorkingSlots(1)
  const resting = await slots.take()
  resting.rest()
  resting.end()
  resting.end()
  const queued = await slots.take()
  queued.rest()
  const other = await slots.take()
  const resumed = queued.resume()
  queued.end()
  other.end()
  await resumed
  expect(slots).toMatchObject({ working: 0, resting: 0, free: 1 })
})

test('one that gives up waiting for its turn is passed over', async () => {
  const slots = new WorkingSlots(1)
  const first = await slots.take()
  const stop = new AbortController()
  const second = slots.take(stop.signal)
  const third = slots.take()
  stop.abort(new Error('no longer wanted'))
  await expect(second).rejects.toThrow('no longer wanted')
  first.end()
  await third
  await expect(slots.take(stop.signal)).rejects.toThrow('no longer wanted')
  expect(slots.working).toBe(1)
})

test('whoever fetches work is told when a slot may be free', async () => {
  const slots = new WorkingSlots(1)
  let told = 0
  const stop = slots.subscribe(() => told++)
  const slot = await slots.take()
  slot.rest()
  await slot.resume()
  slot.end()
  stop()
  ;(await slots.take()).end()
  expect(told).toBe(2)
})
