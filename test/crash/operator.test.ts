/** An operator's act and a crash together. */
import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import { operate } from '../support/temporal-cli.ts'

const leaseTimings = { ttlMs: 1_500, renewIntervalMs: 500 }

test('a process whose workflow is terminated and whose worker is then killed is submitted again, and completes once (H4, §6 #217)', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  const second = await world.spawnWorker()
  await first.kill()
  await world.marks('began', 2)
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: first.pid, last: second.pid, attempt: 2 },
  })
  const workflow = world.temporal.workflow.getHandle(handle.id)
  expect(await workflow.result()).toEqual({ status: 'completed' })
  expect(readMarks(world.folder, 'through')).toHaveLength(1)
})

test('an owner-bound process whose workflow is terminated and whose owner is gone without proof is silent until somebody gives it up (H4, §6 #218)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const first = await world.spawnWorker({ isOpaque: true })
  const handle = await world.processes.start({ kind: 'ownDoor', input: world })
  await world.marks('began')
  await operate(['workflow', 'terminate', '--workflow-id', handle.id])
  await world.spawnWorker()
  await first.kill()
  await eventually(async () => expect((await handle.describe()).silentSinceMs).toBeDefined())
  expect(await handle.describe()).toMatchObject({ status: 'running' })
  await world.registry.requestAbandon(handle.id, { requestedBy: 'ana' })
  expect(await handle.outcome()).toMatchObject({
    status: 'abandoned',
    evidence: { writer: 'reconciled_request', owner: { ownerId: `opaque:${first.pid}` } },
  })
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  expect(await world.temporal.workflow.getHandle(handle.id).result()).toEqual({ status: 'abandoned' })
})

test('a process whose worker is killed without proof goes on at another after the heartbeat’s time-out (H10, §6 #219)', async () => {
  await using world = await openCrashWorld({ leaseTimings })
  const first = await world.spawnWorker({ isOpaque: true })
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const second = await world.spawnWorker()
  await first.kill()
  await world.marks('began', 2)
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: first.pid, last: second.pid, attempt: 2 },
  })
})

test('a process whose activity is paused and whose worker is killed goes on when an operator lets it', async () => {
  await using world = await openCrashWorld()
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const workflow = world.temporal.workflow.getHandle(handle.id)
  const activity = async () => (await workflow.describe()).raw.pendingActivities?.[0]
  const address = ['--workflow-id', handle.id, '--activity-id', `${(await activity())?.activityId}`]
  await operate(['activity', 'pause', ...address])
  const second = await world.spawnWorker()
  await first.kill()
  // Its lease is free, and its attempt is failed; the server holds back the next one.
  await eventually(async () => {
    expect((await world.registry.getLease(handle.id))?.owner).toBeUndefined()
    expect((await activity())?.lastFailure).toBeTruthy()
  })
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  await operate(['activity', 'unpause', ...address])
  await world.marks('began', 2)
  openDoor(world.folder)
  expect(await handle.outcome()).toMatchObject({ value: { last: second.pid, attempt: 2 } })
  expect(await workflow.result()).toEqual({ status: 'completed' })
})
