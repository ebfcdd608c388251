import { expect, test } from 'vitest'
import { schedulePrefix } from '../../src/contract.ts'
import { isLeaseholdError } from '../../src/index.ts'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor } from '../support/marks.ts'
import { portOf, startOwnServer } from '../support/own-server.ts'

test('every process ends though the server is killed and an empty one takes its place (H13)', {
  timeout: 180_000,
}, async () => {
  const server = await startOwnServer()
  await using world = await openCrashWorld({ address: server.address })
  await world.processes.triggers.add({ id: 'yearly', on: { cron: '@yearly' }, start: { kind: 'nap' } })
  const schedule = world.temporal.schedule.getHandle(`${schedulePrefix(world.registry.registryId)}yearly`)
  // One runs, one is parked, and one was submitted but has not begun: the worker has no room for it.
  await world.spawnWorker({ concurrency: 1, parkGraceMs: 50 })
  const parked = await world.processes.start({ kind: 'nap', input: { ...world, ms: 6_000 } })
  await eventually(async () => (await parked.describe()).waits.length === 1)
  const running = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const queued = await world.processes.start({ kind: 'door', input: world })
  expect(await queued.describe()).toMatchObject({ attempts: 0, externalRef: { backend: 'temporal' } })

  await eventually(() => schedule.describe())

  await server.kill()
  openDoor(world.folder)
  // Under its lease, with no server at all.
  expect(await running.outcome()).toMatchObject({ status: 'completed', value: { attempt: 1 } })
  await startOwnServer(portOf(server.address))
  expect(await parked.outcome()).toMatchObject({ status: 'completed', value: { attempt: 2 } })
  expect(await queued.outcome()).toMatchObject({ status: 'completed', value: { attempt: 1 } })
  // Made again from its trigger.
  await eventually(() => schedule.describe())
})

test('under load too, whatever was registered ends though the server is killed and an empty one takes its place (H1, H13)', {
  timeout: 180_000,
}, async () => {
  const server = await startOwnServer()
  await using world = await openCrashWorld({ address: server.address })
  for (let nth = 0; nth < 2; nth++) await world.spawnWorker({ concurrency: 8, parkGraceMs: 50 })
  const starts = Array.from({ length: 60 }, (_, nth) => nth).values()
  const killed = Promise.withResolvers<void>()
  let unreachable = 0
  const caller = async () => {
    for (const nth of starts) {
      // However late the first ones park, there are some left that meet no server.
      if (nth >= 40) await killed.promise
      await world.processes
        .start({ kind: 'nap', id: `nap-${nth}`, input: { ...world, ms: 3_000 } })
        .catch(error => {
          // It says so, and has kept the row.
          if (!isLeaseholdError(error, 'temporal_unreachable')) throw error
          unreachable++
        })
    }
  }
  const starting = Promise.all(Array.from({ length: 6 }, caller))
  const all = async () => (await world.registry.list({ status: 'any' }, { limit: 100 })).records
  await eventually(async () => (await all()).filter(({ waits }) => waits.length > 0).length >= 10)
  await server.kill()
  killed.resolve()
  // Those that are told only when they have waited for it; the rest comes while it is away.
  await eventually(() => unreachable > 0)
  await startOwnServer(portOf(server.address))
  await starting
  const records = await all()
  expect(records).toHaveLength(60)
  const outcomes = await Promise.all(records.map(({ id }) => world.registry.awaitOutcome(id)))
  expect(outcomes.filter(({ status }) => status !== 'completed')).toEqual([])
})
