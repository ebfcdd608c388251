import { expect, test } from 'vitest'
import type { ProcessId } from '../../src/model/ids.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { createFaultyStore } from './faulty-store.ts'
import { openStage, type Stage, work } from './stage.ts'

const NONE = { ended: [], released: [], abandoned: [], deferred: [] }

/** Runs the process until its worker is told to stop. */
async function runUntilShutdown(stage: Stage, ids: readonly string[], arrived: () => Promise<unknown>) {
  const shutdown = new AbortController()
  const running = ids.map(id => stage.runner.run(id, { shutdown: shutdown.signal }))
  await arrived()
  stage.runner.beginDrain()
  return async () => {
    shutdown.abort()
    await Promise.all(running)
    return stage.runner.finishDrain()
  }
}

test('the report lists what ended, what was given back, and what was abandoned (§6 #189)', async () => {
  const gate = createGate()
  const stage = openStage({
    engines: {
      polite: { disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal) },
      saving: { disposition: 'rerunnable', run: ctx => gate.pass(ctx.signal).catch(() => 'saved') },
      deaf: { disposition: 'rerunnable', run: () => gate.pass() },
      bound: { disposition: 'owner_bound', run: ctx => gate.pass(ctx.signal) },
      boundAndSaving: { disposition: 'owner_bound', run: ctx => gate.pass(ctx.signal).catch(() => 'saved') },
      boundAndDeaf: { disposition: 'owner_bound', run: () => gate.pass() },
    },
  })
  const kinds = ['polite', 'saving', 'deaf', 'bound', 'boundAndSaving', 'boundAndDeaf']
  const ids = await Promise.all(kinds.map(kind => stage.start({ kind, id: kind })))
  const stop = await runUntilShutdown(stage, ids, () => eventually(() => gate.arrivals === 6))
  expect(await stop()).toEqual({
    ended: ['boundAndSaving', 'saving'],
    released: ['deaf', 'polite'],
    abandoned: ['bound', 'boundAndDeaf'],
    deferred: [],
  })
  for (const id of ['bound', 'boundAndDeaf']) {
    expect((await stage.record(id)).outcome).toMatchObject({
      evidence: { writer: 'owner_drain', owner: { incarnationId: stage.identity.incarnationId } },
    })
  }
  gate.open()
})

test('what ended before the drain is not in its report', async () => {
  const stage = openStage({ engines: work(() => 1) })
  await stage.outcome(await stage.start())
  stage.runner.beginDrain()
  expect(await stage.runner.finishDrain()).toEqual(NONE)
})

test('a terminal write that fails is reported as deferred, not as abandoned; the lease is left to lapse (§6 #191)', async () => {
  const gate = createGate()
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => gate.pass(ctx.signal), 'owner_bound') })
  const id = await stage.start()
  const stop = await runUntilShutdown(stage, [id], () => eventually(() => gate.arrivals === 1))
  store.failTransactions({ after: 0, count: 1_000 })
  const report = await stop()
  expect(report).toEqual({ ...NONE, deferred: [{ id, reason: 'backend_error' }] })
  store.failTransactions({ after: 0, count: 0 })
  expect(await stage.record(id)).toMatchObject({ status: 'running' })
})

test('what a failing store left without outcome is abandoned at the end of the drain (§6 #189)', async () => {
  const gate = createGate()
  const store = createFaultyStore()
  const stage = openStage({ store, engines: work(ctx => gate.pass(ctx.signal), 'owner_bound') })
  const id = await stage.start()
  const stop = await runUntilShutdown(stage, [id], () => eventually(() => gate.arrivals === 1))
  // The attempt cannot write its end, but that it is over can be written, and the drain comes after it.
  store.failTransactions({ after: 0, count: 1 })
  expect(await stop()).toEqual({ ...NONE, abandoned: [id] })
  expect((await stage.record(id)).outcome).toMatchObject({ evidence: { writer: 'owner_drain' } })
})

test('what another attempt holds by now is deferred, and so is what somebody else has ended (§6 #190)', async () => {
  const gate = createGate()
  const clock = createManualClock(Date.now())
  const stage = openStage({
    store: createMemoryStore({ clock: clock.now }),
    leaseTimings: { ttlMs: 60_000, renewIntervalMs: 20_000 },
    engines: work(() => gate.pass(), 'owner_bound'),
  })
  const [held, settled] = await Promise.all([stage.start({ id: 'held' }), stage.start({ id: 'settled' })])
  const stop = await runUntilShutdown(stage, [held, settled], () => eventually(() => gate.arrivals === 2))
  // The machine slept; meanwhile somebody asked to abandon both, and another worker came.
  clock.advance(120_000)
  const other = stage.addWorker()
  for (const id of [held, settled]) await stage.registry.requestAbandon(id, { requestedBy: 'ana' })
  await other.runner.run(settled)
  await stage.registry.beginAttempt(held, {
    worker: other.identity,
    attempt: 'the settler',
    ttlMs: 60_000,
  })
  expect((await stop()).deferred).toEqual([
    { id: 'held', reason: 'busy' },
    { id: 'settled', reason: 'settled_by_peer' },
  ])
  gate.open()
})

test('a drain may be finished twice', async () => {
  const gate = createGate()
  const stage = openStage({ engines: work(ctx => gate.pass(ctx.signal)) })
  const id: ProcessId = (await stage.record(await stage.start())).id
  const stop = await runUntilShutdown(stage, [id], () => eventually(() => gate.arrivals === 1))
  expect(await stop()).toEqual({ ...NONE, released: [id] })
  expect(await stage.runner.finishDrain()).toEqual({ ...NONE, released: [id] })
})
