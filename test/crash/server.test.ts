import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor } from '../support/marks.ts'
import { portOf, startOwnServer } from '../support/own-server.ts'

test('every process ends though the server is killed and an empty one takes its place', {
  timeout: 180_000,
}, async () => {
  const server = await startOwnServer()
  await using world = await openCrashWorld({ address: server.address })
  // One runs, one is parked, and one was submitted but has not begun: the worker has no room for it.
  await world.spawnWorker({ concurrency: 1, parkGraceMs: 50 })
  const parked = await world.processes.start({ kind: 'nap', input: { ...world, ms: 6_000 } })
  await eventually(async () => (await parked.describe()).waits.length === 1)
  const running = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const queued = await world.processes.start({ kind: 'door', input: world })
  expect(await queued.describe()).toMatchObject({ attempts: 0, externalRef: { backend: 'temporal' } })

  await server.kill()
  openDoor(world.folder)
  // Under its lease, with no server at all.
  expect(await running.outcome()).toMatchObject({ status: 'completed', value: { attempt: 1 } })
  await startOwnServer(portOf(server.address))
  expect(await parked.outcome()).toMatchObject({ status: 'completed', value: { attempt: 2 } })
  expect(await queued.outcome()).toMatchObject({ status: 'completed', value: { attempt: 1 } })
})
