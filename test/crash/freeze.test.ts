import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { type CrashWorld, openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import { freezeBetweenWrites, type WorkerProcess } from '../support/spawn-worker.ts'

/**
 * The worker to be frozen has room for one process and is full, so it asks the server for no other: what the server
 * hands to a frozen worker is only missed when its heartbeat is.
 */
const FULL = { concurrency: 1 }

const leaseTimings = { ttlMs: 1_500, renewIntervalMs: 500 }

/** Frozen for twice the lease's time: long after everybody else may think it gone. */
async function freezeForTwoLeases(world: CrashWorld, worker: WorkerProcess, id: string): Promise<void> {
  await freezeBetweenWrites(worker, world.registryPath)
  const expiresAtMs = (await world.registry.getLease(id))?.expiresAtMs ?? 0
  await eventually(() => Date.now() > expiresAtMs + leaseTimings.ttlMs)
}

test('a frozen worker that was superseded writes nothing when it thaws (H10, H11, §6 #82, #186, #219)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const first = await world.spawnWorker(FULL)
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const second = await world.spawnWorker()
  await freezeForTwoLeases(world, first, handle.id)
  await world.marks('began', 2)
  first.thaw()
  expect((await world.marks('aborted'))[0]).toMatchObject({ pid: first.pid, detail: 'process_lease_lost' })
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: first.pid, last: second.pid, attempt: 2 },
  })
  // The frozen attempt's own code went on to its end, and none of it shows.
  await eventually(() => readMarks(world.folder, 'through').length === 2)
  const types = await world.eventTypes(handle.id)
  expect(types.filter(type => type === 'process.completed')).toHaveLength(1)
  expect(types.at(-1)).toBe('process.completed')
})

test('a frozen worker that nobody superseded goes on when it thaws, and completes (§6 #82)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const only = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  await freezeForTwoLeases(world, only, handle.id)
  only.thaw()
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: only.pid, last: only.pid, attempt: 1 },
  })
  expect(readMarks(world.folder, 'aborted')).toEqual([])
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  expect(await world.temporal.workflow.getHandle(handle.id).result()).toEqual({ status: 'completed' })
})

test('a frozen owner-bound process is silent, is run by nobody else, and is back when it thaws (§6 #174)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const first = await world.spawnWorker(FULL)
  const handle = await world.processes.start({ kind: 'ownDoor', input: world })
  await world.marks('began')
  await world.spawnWorker()
  await freezeForTwoLeases(world, first, handle.id)
  await eventually(async () => (await handle.describe()).silentSinceMs !== undefined)
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  first.thaw()
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: first.pid, last: first.pid, attempt: 1 },
  })
  expect(await world.eventTypes(handle.id)).toEqual(
    expect.arrayContaining(['process.owner_silent', 'process.owner_back', 'process.completed']),
  )
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  expect(await world.temporal.workflow.getHandle(handle.id).result()).toEqual({ status: 'completed' })
})

test('a frozen worker whose process was ended, pruned and begun anew under its id writes nothing into the new one (H9, H11)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const id = randomUUID()
  const request = { kind: 'door', id, input: world } as const
  const first = await world.spawnWorker(FULL)
  await world.processes.start(request)
  await world.marks('began')
  await freezeForTwoLeases(world, first, id)
  const givenUp = { status: 'cancelled', message: 'given up' } as const
  await world.registry.complete(id, givenUp, { authority: 'workflow_key', workflowKey: id })
  expect(await world.registry.prune({ before: Number.MAX_SAFE_INTEGER })).toMatchObject({
    prunedProcesses: 1,
  })
  const second = await world.spawnWorker()
  const again = await world.processes.start({ ...request, reuse: true })
  expect(again.started).toBe(true)
  await world.marks('began', 2)
  first.thaw()
  expect((await world.marks('aborted'))[0]).toMatchObject({ pid: first.pid, detail: 'process_lease_lost' })
  openDoor(world.folder)
  expect(await again.outcome()).toEqual({
    status: 'completed',
    value: { first: second.pid, last: second.pid, attempt: 1 },
  })
  await eventually(() => readMarks(world.folder, 'through').length === 2)
  const types = await world.eventTypes(id)
  expect(types.filter(type => type === 'process.first_started')).toHaveLength(1)
  expect(types.at(-1)).toBe('process.completed')
})
