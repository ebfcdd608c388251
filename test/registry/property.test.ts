import { join } from 'node:path'
import fc from 'fast-check'
import { describe, onTestFinished, test } from 'vitest'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { createManualClock } from '../../src/testing/index.ts'
import { registration } from '../model/fixtures.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openPostgres } from './postgres-fixtures.ts'
import { ReferenceRegistry } from './reference-registry.ts'
import { anyCommand, type Subject } from './registry-commands.ts'

interface Store {
  readonly store: string
  readonly numRuns: number
  readonly open: (clock: () => number) => Promise<ProcessStore>
}

const STORES: readonly Store[] = [
  { store: 'memory', numRuns: 300, open: async clock => createMemoryStore({ clock }) },
  {
    store: 'SQLite',
    numRuns: 60,
    async open(clock) {
      const folder = await temporaryFolder()
      return createSqliteStore({ path: join(folder, 'registry.db'), clock })
    },
  },
  { store: 'PostgreSQL', numRuns: 10, open: clock => openPostgres({ clock }) },
]

describe('whatever several owners do to one process, in whatever order', () => {
  test.each(STORES)(
    'fences grow, one outcome stays for each life of it, sequences have no gap and no superseded lease writes: $store',
    { timeout: 120_000 },
    async ({ open, numRuns }) => {
      const clock = createManualClock()
      const registry = createProcessRegistry(await open(clock.now))
      onTestFinished(() => registry.close())
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.commands([...anyCommand], { maxCommands: 60, size: '+1' }), async commands => {
          const id = `p${runs++}`
          const request = registration({
            id,
            // By which it is pruned, and no other.
            identity: { kind: 'survey', label: id },
            eventTypes: [{ name: 'note', payloadSchema: true }],
          })
          const { record } = await registry.register(request)
          const real: Subject = { registry, clock, id: record.id, request, leases: [], attempts: 0 }
          await fc.asyncModelRun(() => ({ model: new ReferenceRegistry(clock.now), real }), commands)
        }),
        { numRuns },
      )
    },
  )
})
