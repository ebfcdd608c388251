import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { DrainReport } from '../../src/index.ts'
import { openCrashWorld } from '../support/crash-world.ts'
import { openDoor, readMarks } from '../support/marks.ts'
import type { WorkerProcess } from '../support/spawn-worker.ts'

/** Fifty that run at once: well-behaved and deaf to their signal, of either disposition. */
const KINDS = [
  { kind: 'politeDoor', count: 13 },
  { kind: 'door', count: 13 },
  { kind: 'ownPoliteDoor', count: 12 },
  { kind: 'ownDoor', count: 12 },
] as const

/** All tests share one Temporal server, and with it the ids of its workflows. */
const namesIn =
  (run: string) =>
  (kind: string): string[] =>
    KINDS.filter(each => each.kind === kind).flatMap(({ count }) =>
      Array.from({ length: count }, (_, index) => `${run}-${kind}-${String(index).padStart(2, '0')}`),
    )

function reportOf({ lines }: WorkerProcess): DrainReport {
  const last = lines.find(line => line.includes('"what":"stopped"'))
  if (last === undefined) throw new Error(`the worker did not stop in order: ${lines}`)
  return JSON.parse(last).report
}

test.each(['SIGTERM', 'a durable request'] as const)(
  'a worker with fifty running processes that gets %s loses none of them (H26, §6 #189, #232)',
  async how => {
    const idsOf = namesIn(randomUUID().slice(0, 8))
    await using world = await openCrashWorld()
    const first = await world.spawnWorker()
    for (const { kind } of KINDS) {
      await Promise.all(idsOf(kind).map(id => world.processes.start({ kind, id, input: world })))
    }
    await world.marks('began', 50)
    const [row] = await world.registry.workers()
    if (how === 'a durable request') {
      const incarnation = row?.worker.incarnationId ?? ''
      await world.registry.requestDrain(incarnation, 'ops')
      await first.exited
      expect((await world.registry.drainOf(incarnation))?.report).toEqual(reportOf(first))
    } else await first.stop()
    expect(reportOf(first)).toEqual({
      ended: idsOf('ownPoliteDoor'),
      released: [...idsOf('door'), ...idsOf('politeDoor')],
      abandoned: idsOf('ownDoor'),
      deferred: [],
    })
    expect(await world.registry.workers()).toEqual([])

    openDoor(world.folder)
    await world.spawnWorker()
    for (const id of [...idsOf('door'), ...idsOf('politeDoor')]) {
      // Its first step is not run again, and nobody waited for a lease to lapse.
      expect(await world.processes.handle(id).outcome()).toMatchObject({
        status: 'completed',
        value: { first: first.pid, attempt: 2 },
      })
    }
    for (const id of idsOf('ownPoliteDoor')) {
      expect(await world.processes.handle(id).outcome()).toEqual({
        status: 'completed',
        value: 'saved what I had',
      })
    }
    for (const id of idsOf('ownDoor')) {
      expect(await world.processes.handle(id).outcome()).toMatchObject({
        status: 'abandoned',
        evidence: { writer: 'owner_drain', owner: { liveness: { pid: first.pid } } },
      })
    }
    // No owner-bound body ran twice.
    const begun = readMarks(world.folder, 'began').map(({ detail = '' }) => detail)
    for (const id of [...idsOf('ownPoliteDoor'), ...idsOf('ownDoor')])
      expect(begun.filter(each => each === id)).toEqual([id])
  },
  120_000,
)
