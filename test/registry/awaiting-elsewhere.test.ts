/** Who waits and who writes have nothing in common but the store. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { COMPLETED, registration } from '../../src/testing/registry-suite/fixtures.ts'
import { openPostgres, randomName } from './postgres-fixtures.ts'
import { openSqlite, temporaryFolder } from './store-fixtures.ts'

const AUTHORITY = { authority: 'workflow_key', workflowKey: 'p' } as const

/** Two connections to the same store, as two OS processes have them. */
const STORES: readonly {
  readonly name: string
  readonly open: () => Promise<[ProcessStore, ProcessStore]>
}[] = [
  {
    name: 'SQLite',
    async open() {
      const path = join(await temporaryFolder(), 'registry.db')
      return [await openSqlite({ path }), await openSqlite({ path })]
    },
  },
  {
    name: 'PostgreSQL',
    async open() {
      const schema = randomName()
      return [await openPostgres({ schema }), await openPostgres({ schema })]
    },
  },
]

describe.each(STORES)('over $name', ({ open }) => {
  async function twoRegistries(): Promise<{ there: ProcessRegistry; store: ProcessStore }> {
    const [here, elsewhere] = await open()
    const there = createProcessRegistry(elsewhere)
    await there.register(registration())
    return { there, store: here }
  }

  test('a waiter hears of an outcome that is written elsewhere, and so do many at once (§6 #135, #137)', async () => {
    const { there, store } = await twoRegistries()
    const waiting = watchRegistry(createProcessRegistry(store))
    onTestFinished(() => waiting.close())
    const outcomes = Promise.all(Array.from({ length: 20 }, () => waiting.awaitOutcome('p')))
    await there.complete('p', COMPLETED, AUTHORITY)
    expect(await outcomes).toEqual(Array.from({ length: 20 }, () => COMPLETED))
    expect(waiting.hub.size).toBe(0)
  })

  test('a waiter whom the store tells nothing looks for itself (§6 #138)', async () => {
    const { there, store } = await twoRegistries()
    const deaf = createProcessRegistry({ ...store, watch: () => () => {} })
    const waiting = watchRegistry(deaf)
    onTestFinished(() => waiting.close())
    const outcome = waiting.awaitOutcome('p')
    await there.complete('p', COMPLETED, AUTHORITY)
    expect(await outcome).toEqual(COMPLETED)
  })
})
