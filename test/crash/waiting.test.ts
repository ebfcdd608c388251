import { expect, test } from 'vitest'
import { openCrashWorld } from '../support/crash-world.ts'
import { eventually } from '../support/eventually.ts'
import { openDoor } from '../support/marks.ts'

test.each([
  { how: 'in memory', parkGraceMs: 60_000, isParked: false },
  { how: 'parked', parkGraceMs: 20, isParked: true },
])(
  'a worker that is killed while a parent waits $how for its child takes neither along',
  async ({ parkGraceMs, isParked }) => {
    await using world = await openCrashWorld()
    // With one slot: the parent waits, and the child works.
    const first = await world.spawnWorker({ concurrency: 1, parkGraceMs })
    const handle = await world.processes.start({ kind: 'parent', input: world })
    await world.marks('awaiting')
    await world.marks('began')
    if (isParked) await eventually(async () => (await handle.describe()).waits.length === 1)
    await first.kill()
    openDoor(world.folder)
    const second = await world.spawnWorker({ concurrency: 1, parkGraceMs })
    const child = { first: first.pid, last: second.pid, attempt: 2 }
    expect(await handle.outcome()).toEqual({
      status: 'completed',
      value: { attempt: 2, started: true, outcome: { status: 'completed', value: child } },
    })
    const children = await world.registry.list({ identityKind: 'door', status: 'any' })
    expect(children.records.map(({ id }) => id)).toEqual([`${handle.id}.door.only`])
  },
)

test('a parent hears of a child that nobody may run again that its worker has died, and of nothing done', async () => {
  await using world = await openCrashWorld()
  const { folder } = world
  const first = await world.spawnWorker()
  const handle = await world.processes.start({ kind: 'parent', input: { folder, child: 'ownDoor' } })
  await world.marks('began')
  await world.spawnWorker()
  await first.kill()
  const outcome = { status: 'abandoned', evidence: { writer: 'sweep', owner: expect.anything() } }
  expect(await handle.outcome()).toMatchObject({ status: 'completed', value: { attempt: 2, outcome } })
  const child = `${handle.id}.ownDoor.only`
  const ends = (await world.eventTypes(child)).filter(type => type === 'process.abandoned')
  expect(ends).toHaveLength(1)
  expect(await world.marks('began')).toHaveLength(1)
})
