import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor, readMarks } from '../support/marks.ts'

const SHORT = { ttlMs: 1_500, renewIntervalMs: 500 }

test('a rerunnable process whose worker is killed goes on at the next worker, in at most 13 events (H10, §6 #219)', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const second = await world.spawnWorker()
  await first.kill()
  await world.marks('began', 2)
  openDoor(world.folder)
  // What the first attempt journaled stands; the rest is the second's.
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: first.pid, last: second.pid, attempt: 2 },
  })
  const workflow = world.temporal.workflow.getHandle(handle.id)
  expect(await workflow.result()).toEqual({ status: 'completed' })
  expect((await workflow.describe()).historyLength).toBeLessThanOrEqual(13)
})

test('a rerunnable process whose only worker is killed goes on when another one comes', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  await first.kill()
  openDoor(world.folder)
  const second = await world.spawnWorker()
  expect(await handle.outcome()).toMatchObject({ value: { first: first.pid, last: second.pid } })
})

test('an owner-bound process whose worker is proven dead is abandoned(sweep), and its body ran once (H10, §6 #173, #220)', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'ownDoor', input: world })
  await world.marks('began')
  const holder = (await world.registry.getLease(handle.id))?.owner
  await world.spawnWorker()
  await first.kill()
  expect(await handle.outcome()).toEqual({
    status: 'abandoned',
    evidence: { writer: 'sweep', owner: holder, epochMs: expect.any(Number) },
  })
  expect(holder?.liveness).toMatchObject({ pid: first.pid })
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  expect(await world.temporal.workflow.getHandle(handle.id).result()).toEqual({ status: 'abandoned' })
})

test('an owner-bound process whose worker is killed has no outcome before somebody can prove it (H10, §6 #174)', async () => {
  await using world = await openCrashWorld({ leaseTimings: SHORT })
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'ownDoor', input: world })
  await world.marks('began')
  await first.kill()
  // The lease has lapsed, Temporal has missed the heartbeats, and still nobody knows.
  await eventually(async () => {
    const { raw } = await world.temporal.workflow.getHandle(handle.id).describe()
    expect(raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1)
    expect((await world.registry.getLease(handle.id))?.expiresAtMs).toBeLessThan(Date.now())
  })
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  await world.spawnWorker()
  expect(await handle.outcome()).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'sweep', owner: { liveness: { pid: first.pid } } },
  })
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
})

test('an owner-bound process whose worker is killed before the body runs is run by the next one (§6 #177)', async () => {
  await using world = await openCrashWorld()
  // Registered and submitted, and nobody there yet.
  const handle = await world.processes.start({ kind: 'ownDoor', input: world })
  expect(await handle.describe()).toMatchObject({ attempts: 0 })
  openDoor(world.folder)
  const worker = await world.spawnWorker()
  expect(await handle.outcome()).toMatchObject({ status: 'completed', value: { last: worker.pid } })
})

test('a parked process whose worker is killed wakes at the next one, at its time', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker({ parkGraceMs: 50 })
  const handle = await world.processes.start({ kind: 'nap', input: { ...world, ms: 2_500 } })
  await eventually(async () => (await handle.describe()).waits.length === 1)
  await first.kill()
  const second = await world.spawnWorker()
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { before: first.pid, after: second.pid, attempt: 2 },
  })
})

test('a cancelled process whose worker is killed before it could end is cancelled by the next one', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const { runId } = await world.temporal.workflow.getHandle(handle.id).describe()
  await handle.cancel('stop')
  await world.marks('aborted')
  await world.spawnWorker()
  await first.kill()
  expect(await handle.outcome()).toEqual({ status: 'cancelled', message: 'stop' })
  const workflow = world.temporal.workflow.getHandle(handle.id)
  expect(await workflow.result()).toEqual({ status: 'cancelled' })
  expect((await workflow.describe()).runId).toBe(runId)
})

test('many processes of a killed worker all end at the others', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handles = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      world.processes.start({ kind: 'door', id: `many-${index}`, input: world }),
    ),
  )
  await world.marks('began', 20)
  await Promise.all([world.spawnWorker(), world.spawnWorker()])
  await first.kill()
  openDoor(world.folder)
  for (const handle of handles) {
    expect(await handle.outcome()).toMatchObject({
      status: 'completed',
      value: { first: first.pid, attempt: 2 },
    })
  }
  expect(readMarks(world.folder, 'began')).toHaveLength(40)
})

test('a task that went to a worker as it died is given to another at once, and one of a living worker is left to it', async () => {
  // Longer than any test: the missed heartbeat helps nobody here.
  await using world = await openCrashWorld({ leaseTimings: { ttlMs: 3_600_000, renewIntervalMs: 1_000 } })
  const { processes, temporal } = world
  const start = (id: string) => processes.start({ kind: 'door', id, input: world })
  openDoor(world.folder)
  const slow = await world.spawnWorker({ atBegin: 'waits', concurrency: 1 })
  const had = await start('had')
  await world.marks('given')
  const dying = await world.spawnWorker({ atBegin: 'dies' })
  const lost = await start('lost')
  await dying.exited
  const heir = await world.spawnWorker()
  expect(await lost.outcome()).toMatchObject({ value: { last: heir.pid, attempt: 1 } })
  const { raw } = await temporal.workflow.getHandle('had').describe()
  expect(raw.pendingActivities).toMatchObject([{ attempt: 1 }])
  openDoor(world.folder, 'begin')
  expect(await had.outcome()).toMatchObject({ value: { last: slow.pid, attempt: 1 } })
  expect(readMarks(world.folder, 'given').map(({ detail }) => detail)).toEqual(['had', 'lost'])
})

test('a process that kills every worker it runs in is given up after its attempts (§6 #188)', async () => {
  await using world = await openCrashWorld()
  const handle = await world.processes.start({ kind: 'deadly', input: world, maxAttempts: 2 })
  for (const count of [1, 2]) {
    await world.spawnWorker()
    await world.marks('died', count)
  }
  await world.spawnWorker()
  expect(await handle.outcome()).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'engine_gave_up' },
  })
  expect(readMarks(world.folder, 'died')).toHaveLength(2)
})
