import { expect, onTestFinished, test } from 'vitest'
import { clocks, LeaseKeeper } from '../../src/execution/lease-keeper.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, silent, supersede, work } from './stage.ts'

const SLOW = { ttlMs: 60_000, renewIntervalMs: 20_000 }

async function keep(timings = SLOW, sentAt = clocks()) {
  const clock = createManualClock(Date.now())
  const store = createFaultyStore(createMemoryStore({ clock: clock.now }))
  const stage = openStage({ store, engines: work(() => 1), leaseTimings: timings })
  const id = await stage.start()
  const worker = stage.identity
  const begun = await stage.registry.beginAttempt(id, { worker, attempt: 'one', ttlMs: timings.ttlMs })
  if (begun.type !== 'run') throw new Error(`it came to ${begun.type}`)
  const log: string[] = []
  const keeper = new LeaseKeeper(begun.lease, sentAt, {
    registry: stage.registry,
    timings,
    logger: silent,
    onRenewed: () => void log.push('renewed'),
    onLost: () => void log.push('lost'),
  })
  onTestFinished(() => keeper.stop())
  return { stage, id, store, clock, keeper, log, lease: begun.lease }
}

test('a lease is renewed at each interval, and each renewal is told (§6 #94)', async () => {
  const { keeper, log, lease } = await keep({ ttlMs: 90, renewIntervalMs: 30 })
  await eventually(() => log.filter(line => line === 'renewed').length >= 3)
  expect(keeper.lease.fencingToken).toBe(lease.fencingToken)
  expect(keeper.isLost).toBe(false)
})

test('a fresh lease is usable without asking the store', async () => {
  const { keeper, log } = await keep()
  expect(keeper.isUsable).toBe(true)
  expect(await keeper.ensure()).toBe(true)
  expect(log).toEqual([])
})

test('past its own deadline on the monotonic clock it asks first', async () => {
  const now = clocks()
  const { keeper, log } = await keep(SLOW, { monotonic: now.monotonic - 55_000, wall: now.wall - 55_000 })
  expect(keeper.isUsable).toBe(false)
  expect(await keeper.ensure()).toBe(true)
  expect(log).toEqual(['renewed'])
  expect(keeper.isUsable).toBe(true)
})

test.each([-1, 1])(
  'a jump between the clocks by a third of the lease makes it ask first (%i)',
  async sign => {
    const now = clocks()
    const { keeper, log } = await keep(SLOW, { monotonic: now.monotonic, wall: now.wall + sign * 20_500 })
    expect(keeper.isUsable).toBe(false)
    expect(await keeper.ensure()).toBe(true)
    expect(log).toEqual(['renewed'])
  },
)

test('a lease that lapsed unsuperseded is taken again under the next fence', async () => {
  const { keeper, clock, log, lease } = await keep()
  clock.advance(SLOW.ttlMs + 1)
  expect(await keeper.renew()).toBe(true)
  expect(keeper.lease).toMatchObject({ owner: lease.owner, fencingToken: lease.fencingToken + 1 })
  expect(log).toEqual(['renewed'])
})

test('a superseded lease is lost, once and for ever', async () => {
  const { keeper, stage, id, log } = await keep()
  await supersede(stage, stage)
  await stage.registry.beginAttempt(id, { worker: stage.addWorker().identity, attempt: 'two', ttlMs: 60_000 })
  expect(await keeper.renew()).toBe(false)
  expect(await keeper.renew()).toBe(false)
  expect(keeper).toMatchObject({ isLost: true, isUsable: false })
  expect(log).toEqual(['lost'])
})

test('a lease of a process that has ended is lost', async () => {
  const { keeper, stage, lease, log } = await keep()
  await stage.registry.completeWithLease(lease, { status: 'completed', value: null })
  expect(await keeper.renew()).toBe(false)
  expect(log).toEqual(['lost'])
})

test('a store that fails leaves the lease in doubt, not lost', async () => {
  const { keeper, store, log } = await keep()
  store.failTransactions({ after: 0, count: 1 })
  expect(await keeper.renew()).toBe(false)
  expect(keeper).toMatchObject({ isLost: false, isUsable: true })
  expect(await keeper.renew()).toBe(true)
  expect(log).toEqual(['renewed'])
})

test('renewals asked for together are one', async () => {
  const { keeper, log } = await keep()
  expect(await Promise.all([keeper.renew(), keeper.renew(), keeper.renew()])).toEqual([true, true, true])
  expect(log).toEqual(['renewed'])
})
