import { expect, onTestFinished, test } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { temporaryPath } from './store-fixtures.ts'

test('a store whose file another OS process migrates goes on reading each column as what it is', async () => {
  const path = await temporaryPath()
  const registry = createProcessRegistry(await createSqliteStore({ path }))
  onTestFinished(() => registry.close())
  await registry.saveTrigger({
    triggerId: 'a',
    source: { type: 'event', name: 'push' },
    start: { kind: 'build', input: null },
  })
  const source = { type: 'event', name: 'push' } as const
  const { deliveries } = await registry.recordOccurrence({ occurrenceId: 'push', source, payload: 'p' })
  expect(await registry.deliveriesOf('push')).toEqual(deliveries)

  const later = new SqliteConnection(path)
  later.exec(`alter table trigger_deliveries add column later text not null default 'x'`)
  later.close()
  // Once with what was prepared before, and once with what was prepared anew.
  expect(await registry.deliveriesOf('push')).toEqual(deliveries)
  expect(await registry.deliveriesOf('push')).toEqual(deliveries)
})
