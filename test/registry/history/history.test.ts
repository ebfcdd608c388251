import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { createProcessRegistry, type ProcessRegistry } from '../../../src/registry/registry.ts'
import type { ProcessStore } from '../../../src/registry/store.ts'
import { caughtUp, openPostgres, randomName } from '../postgres-fixtures.ts'
import { type Child, spawnActor } from '../spawn-child.ts'
import { BEGINNING, openSqlite, temporaryFolder } from '../store-fixtures.ts'
import { type Call, readCalls } from './call.ts'
import { checkHistory } from './check-history.ts'
import { followFeed } from './follow-feed.ts'
import type { StoredHistory } from './history.ts'

/** At once; some of them are killed, and another one takes the place of each. */
const ACTORS = 4
const KILLED = 2
const CALLS = 150

interface Shared {
  readonly store: ProcessStore
  /** The same, but it answers only when all that was committed is in the feed. */
  readonly settled: ProcessStore
  readonly spawn: (name: string, history: string) => Child
}

const SHARED: readonly { readonly name: string; readonly open: (folder: string) => Promise<Shared> }[] = [
  {
    name: 'SQLite file',
    async open(folder) {
      const path = join(folder, 'registry.db')
      const store = await openSqlite({ path, clock: Date.now })
      const spawn: Shared['spawn'] = (name, history) =>
        spawnActor('sqlite', path, '', name, String(CALLS), history)
      return { store, settled: store, spawn }
    },
  },
  {
    name: 'PostgreSQL schema',
    async open() {
      const schema = randomName()
      const store = await openPostgres({ schema })
      const spawn: Shared['spawn'] = (name, history) =>
        spawnActor('postgres', inject('postgresUrl'), schema, name, String(CALLS), history)
      return { store, settled: caughtUp(store), spawn }
    },
  },
]

test.each(SHARED)(
  `${ACTORS} OS processes on one $name, ${KILLED} of them killed, are told nothing that does not hold`,
  { timeout: 240_000 },
  async ({ open }) => {
    const folder = await temporaryFolder()
    const { store, settled, spawn } = await open(folder)
    const registry = createProcessRegistry(store)
    const seed = String(randomInt(2 ** 32))
    const names: string[] = []
    const start = () => {
      const name = `${seed}-${names.length}`
      names.push(name)
      return spawn(name, join(folder, name))
    }

    const feed = followFeed(registry)
    await Promise.all([
      ...Array.from({ length: KILLED }, async () => {
        await killAfter(start(), randomInt(10, CALLS / 2))
        await untilDone(start())
      }),
      ...Array.from({ length: ACTORS - KILLED }, () => untilDone(start())),
    ])
    const followed = await feed.stop(createProcessRegistry(settled))

    const calls = (await Promise.all(names.map(name => readCalls(join(folder, name))))).flat()
    const stored = await readStored(createProcessRegistry(settled))
    expect(checkHistory({ calls, stored, followed }), `of the actors ${names.join(', ')}`).toEqual([])
    expectToHaveShownSomething(calls)
  },
)

async function killAfter(child: Child, answers: number): Promise<void> {
  for (let count = 0; count < answers; count++) await child.nextLine()
  await child.kill()
}

/** Throws if the child ends without having said so. */
async function untilDone(child: Child): Promise<void> {
  while ((await child.nextLine()) !== 'done');
}

async function readStored(registry: ProcessRegistry): Promise<StoredHistory[]> {
  const stored: StoredHistory[] = []
  let cursor = BEGINNING
  for (;;) {
    const { changes, next } = await registry.changesSince(cursor, 100)
    if (changes.length === 0) return stored
    for (const { id } of changes) {
      const record = await registry.get(id)
      if (record === undefined) throw new Error(`the feed tells of ${id}, which is not there`)
      const [events, journal] = [await registry.eventsAfter(id, 0, 100_000), await registry.journal(id)]
      stored.push({ record, events, journal })
    }
    cursor = next
  }
}

/** Calls that were never answered, refused writers, fences beyond the first: or the history was no test of anything. */
function expectToHaveShownSomething(calls: readonly Call[]): void {
  const refusals = new Set(calls.flatMap(({ answer }) => (answer?.type === 'refused' ? [answer.code] : [])))
  expect(refusals).toContain('process_lease_lost')
  expect(refusals).toContain('process_already_terminal')
  expect(calls.some(({ answer }) => answer === undefined)).toBe(true)
  const fences = calls.map(({ answer }) => (answer?.type === 'done' ? (answer.lease?.fencingToken ?? 0) : 0))
  expect(Math.max(...fences)).toBeGreaterThan(5)
}
