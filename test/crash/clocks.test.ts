/** Hosts whose clocks are minutes apart, on one PostgreSQL and one Temporal server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import { refuseSecretsIn } from '../support/scan/files.ts'
import { type PostgresServer, startPostgres } from '../support/start-postgres.ts'

const TEN_MINUTES = 600_000
const leaseTimings = { ttlMs: 3_000, renewIntervalMs: 1_000 }

let postgres: PostgresServer
beforeAll(async () => {
  postgres = await startPostgres({ beforeRemoval: refuseSecretsIn })
})
afterAll(() => postgres.stop())

const openWorld = (schema: string) =>
  openCrashWorld({ leaseTimings, registryUrl: `${postgres.url}?schema=${schema}` })

test('leases mean the same to hosts whose clocks are twenty minutes apart (H20)', async () => {
  await using world = await openWorld('leases')
  const early = await world.spawnWorker({ clockAheadMs: -TEN_MINUTES, isOpaque: true })
  const handle = await world.processes.start({ kind: 'door', input: world })
  await world.marks('began')
  const late = await world.spawnWorker({ clockAheadMs: TEN_MINUTES, isOpaque: true })
  // For the late one it lapsed long ago; renewed for longer than it lives, it is nobody else's.
  const expiry = async () => (await world.registry.getLease(handle.id))?.expiresAtMs ?? 0
  const before = await expiry()
  await eventually(async () => (await expiry()) > before + leaseTimings.ttlMs)
  expect(readMarks(world.folder, 'began')).toHaveLength(1)
  // Killed without proof: only by the time of the lease can the other one know.
  await early.kill()
  await world.marks('began', 2)
  openDoor(world.folder)
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { first: early.pid, last: late.pid, attempt: 2 },
  })
})

test('a process that sleeps in one host wakes in time in another, whose clock is twenty minutes away (H20)', async () => {
  await using world = await openWorld('sleeps')
  const late = await world.spawnWorker({ clockAheadMs: TEN_MINUTES, parkGraceMs: 50 })
  const handle = await world.processes.start({ kind: 'nap', input: { ...world, ms: 3_000 } })
  await eventually(async () => expect((await handle.describe()).waits).toHaveLength(1))
  await late.kill()
  const early = await world.spawnWorker({ clockAheadMs: -TEN_MINUTES, parkGraceMs: 50 })
  expect(await handle.outcome()).toEqual({
    status: 'completed',
    value: { before: late.pid, after: early.pid, attempt: 2 },
  })
})
