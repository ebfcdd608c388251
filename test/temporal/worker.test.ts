import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { localWorker } from '../../src/execution/environment.ts'
import { defineEngine, definePlugin, type Host, isLeaseholdError, sqliteRegistry } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { createGate } from '../support/gate.ts'
import { openWorld } from '../support/temporal-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Long enough for the server to hear that the worker takes no more tasks: one that it hands over meanwhile is lost. */
const GRACE_MS = 300

const quick = defineEngine({ disposition: 'rerunnable', run: () => 'done' })

test('a stopped worker gives its rerunnable process to the next one at once (H26, §6 #232)', async () => {
  const gate = createGate()
  const runs: number[] = []
  const held = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      runs.push(ctx.attempt)
      await ctx.step('first', () => runs.length)
      await gate.pass(ctx.signal)
      return ctx.step('last', () => runs)
    },
  })
  await using world = await openWorld({ engines: { held } })
  const first = await world.startWorker({ shutdownGraceMs: GRACE_MS })
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  await first.stop()
  expect(await world.registry.getLease(handle.id)).toBeUndefined()
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  gate.open()
  await world.startWorker()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: [1, 2] })
  expect(await world.workflow(handle.id).result()).toEqual({ status: 'completed' })
})

test('a stopped worker ends its owner-bound process as abandoned(owner_drain) (§6 #232)', async () => {
  const gate = createGate()
  const held = defineEngine({ disposition: 'owner_bound', run: ctx => gate.pass(ctx.signal) })
  await using world = await openWorld({ engines: { held } })
  const first = await world.startWorker({ shutdownGraceMs: GRACE_MS })
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  const owner = (await handle.describe()).firstStarted?.owner
  await first.stop()
  expect(await handle.outcome()).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'owner_drain', owner },
  })
  expect(gate.arrivals).toBe(1)
})

test('what ends within the grace ends as usual', async () => {
  const gate = createGate()
  const held = defineEngine({
    disposition: 'owner_bound',
    run: ctx => gate.pass(ctx.signal).then(() => 'in time'),
  })
  await using world = await openWorld({ engines: { held } })
  const worker = await world.startWorker({ shutdownGraceMs: 20_000 })
  const handle = await world.processes.start({ kind: 'held' })
  await eventually(() => gate.arrivals === 1)
  const stopped = worker.stop()
  gate.open()
  await stopped
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 'in time' })
})

test('code that ignores the shutdown is left behind after its bound', async () => {
  const stuck = defineEngine({ disposition: 'rerunnable', run: () => new Promise<void>(() => {}) })
  await using world = await openWorld({ engines: { stuck } })
  const worker = await world.startWorker({ shutdownGraceMs: GRACE_MS, stopBoundMs: 20 })
  const handle = await world.processes.start({ kind: 'stuck' })
  await eventually(async () => (await handle.describe()).firstStarted !== undefined)
  await worker.stop()
  expect(await world.registry.getLease(handle.id)).toBeUndefined()
})

test('a worker may be stopped twice, and run again only says that it has ended', async () => {
  await using world = await openWorld({ engines: { quick } })
  const worker = await world.createWorker()
  const running = worker.run()
  // At once, before the worker has begun to take tasks.
  await Promise.all([worker.stop(), worker.stop()])
  await running
  await worker.stop()
  await worker.run()
})

test('a worker that is refused leaves its connection to be closed', async () => {
  await using world = await openWorld({ engines: { quick } })
  await expect(world.createWorker({ retention: { processesMs: 1 } })).rejects.toMatchObject({
    code: 'host_invalid',
  })
})

test('a worker that has ended by itself is stopped without a grace, which would keep its program alive', async () => {
  const folder = await temporaryFolder()
  const inner = sqliteRegistry({ path: join(folder, 'leasehold.db') })
  const gone = () => Promise.reject(new Error('nobody is announced here'))
  const source = {
    ...inner,
    open: async () => ({ ...(await inner.open()), announceWorker: gone }),
  }
  await using world = await openWorld({ engines: { quick }, source })
  const shutdownGraceMs = 3_600_000
  const worker = await world.createWorker({ shutdownGraceMs })
  await expect(worker.run()).rejects.toThrow('nobody is announced here')
  const timers = vi.spyOn(globalThis, 'setTimeout')
  await worker.stop()
  expect(timers.mock.calls.filter(([, ms]) => ms === shutdownGraceMs)).toEqual([])
  timers.mockRestore()
})

test('a worker that never ran can be stopped, and be disposed of', async () => {
  await using world = await openWorld({ engines: { quick } })
  const worker = await world.createWorker()
  await worker.stop()
  await worker.stop()
  await worker.run()
  await using disposed = await world.createWorker()
  expect(disposed.registryId).toBe(world.registry.registryId)
})

test('a stopped worker is off the list of its host', async () => {
  await using world = await openWorld({ engines: { quick } })
  const worker = await world.startWorker()
  const { liveness } = localWorker(world.registry)
  if (liveness.kind === 'opaque') throw new Error('these tests need /proc')
  const listed = () => world.registry.workersOn(liveness.hostId)
  await eventually(async () => expect((await listed()).map(row => row.worker.ownerId)).toEqual([worker.id]))
  await worker.stop()
  expect(await listed()).toEqual([])
})

test.each([0, -1, 1.5])('a concurrency of %d is refused (§6 #202)', async concurrency => {
  await using world = await openWorld({ engines: { quick } })
  await expect(world.createWorker({ concurrency })).rejects.toSatisfy(error =>
    isLeaseholdError(error, 'host_invalid'),
  )
})

test('lease timings that do not leave room for three renewals are refused (§6 #104)', async () => {
  await using world = await openWorld({ engines: { quick } })
  const leaseTimings = { ttlMs: 1_000, renewIntervalMs: 500 }
  await expect(world.createWorker({ leaseTimings })).rejects.toMatchObject({ code: 'lease_timings_invalid' })
})

test('two workers on one registry run each of fifty processes exactly once (§6 #183)', async () => {
  const runs = new Map<string, number>()
  const count = defineEngine({
    disposition: 'rerunnable',
    async run(ctx) {
      runs.set(ctx.id, (runs.get(ctx.id) ?? 0) + 1)
      return ctx.step('work', () => ctx.attempt)
    },
  })
  await using world = await openWorld({ engines: { count } })
  await Promise.all([world.startWorker(), world.startWorker()])
  const handles = await Promise.all(
    Array.from({ length: 50 }, (_, index) => world.processes.start({ kind: 'count', id: `row-${index}` })),
  )
  const outcomes = await Promise.all(handles.map(handle => handle.outcome()))
  expect(outcomes).toEqual(handles.map(() => ({ status: 'completed', value: 1 })))
  expect([...runs.values()]).toEqual(handles.map(() => 1))
})

test('a process runs under its lease for several of its times to live, and nobody takes it over (§6 #187)', async () => {
  const gate = createGate()
  const held = defineEngine({
    disposition: 'rerunnable',
    run: ctx => gate.pass(ctx.signal).then(() => ctx.attempt),
  })
  await using world = await openWorld({
    engines: { held },
    leaseTimings: { ttlMs: 600, renewIntervalMs: 200 },
  })
  await Promise.all([world.startWorker(), world.startWorker()])
  const handle = await world.processes.start({ kind: 'held' })
  const claimed = await eventually(async () => {
    const lease = await world.registry.getLease(handle.id)
    expect(lease).toBeDefined()
    return lease
  })
  await eventually(async () => {
    const lease = await world.registry.getLease(handle.id)
    expect(lease?.expiresAtMs).toBeGreaterThan((claimed?.claimedAtMs ?? 0) + 4 * 600)
  })
  gate.open()
  expect(await handle.outcome()).toEqual({ status: 'completed', value: 1 })
  expect(await world.historyLength(handle.id)).toBeLessThanOrEqual(11)
})

const REFUSED: readonly [title: string, host: Partial<Host>, code: string, says: string][] = [
  [
    'a store that forgets',
    { stores: { attachments: {}, triggers: { durabilityTier: 'inline' } } },
    'durable_store_required:attachment_store',
    'durable attachment store',
  ],
  [
    'a plugin that cannot be made',
    { plugins: [definePlugin('index', () => Promise.reject(new Error('no such index')))] },
    'host_invalid',
    'plugin "index" failed: no such index',
  ],
]

test.each(REFUSED)('a worker refuses to start with %s, and says which', async (_, more, code, says) => {
  await using world = await openWorld({ engines: { quick }, host: more })
  await expect(world.createWorker()).rejects.toMatchObject({ code, message: expect.stringContaining(says) })
})

test('a worker refuses to start with a host that nobody checked, and names all that is wrong with it', async () => {
  await using world = await openWorld({ engines: { quick } })
  Object.assign(world.host, { engines: { external: quick, idle: {} }, plugins: [{}] })
  const error = await world.createWorker().catch(thrown => thrown)
  expect(error).toMatchObject({ code: 'host_invalid' })
  for (const problem of [
    '"external", which is reserved',
    '"idle" without a run',
    'a plugin that is no function',
  ])
    expect(error.message).toContain(problem)
})
