import { expect, onTestFinished, test } from 'vitest'
import { MAX_INLINE_BYTES } from '../../src/model/blob.ts'
import { buildEvent } from '../../src/model/event.ts'
import { runSynchronously } from '../../src/registry/operation.ts'
import type { SqlSession } from '../../src/registry/sql/session.ts'
import { SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { ChangeCounter, createSqlitePlatform } from '../../src/registry/sql/sqlite/platform.ts'
import { createSqliteSession } from '../../src/registry/sql/sqlite/session.ts'
import { createSqlReader } from '../../src/registry/sql/verbs.ts'
import type { Operation, StoreReader } from '../../src/registry/store.ts'
import { ID, NOW, stored } from '../model/fixtures.ts'
import { idOf, openSqlite, temporaryPath } from './store-fixtures.ts'

const ROWS = 100
const payloadOf = (index: number) => `${index} `.repeat(MAX_INLINE_BYTES / 2)

const PAGES: [string, (reader: StoreReader) => Operation<readonly unknown[]>][] = [
  ['of processes', reader => reader.listProcesses({}, { after: '', through: 'z', limit: ROWS })],
  ['of events', reader => reader.listEvents(ID, 0, ROWS)],
]

test.each(PAGES)('a page %s asks once for its rows and once for their blobs', async (_, list) => {
  const path = await temporaryPath()
  const store = await openSqlite({ path })
  await store.transaction(function* (tx) {
    for (let index = 0; index < ROWS; index++) {
      const payload = payloadOf(index)
      const id = index === 0 ? ID : idOf(`row ${index}`)
      yield* tx.insertProcess(stored({ id, input: { type: 'engine', kind: 'survey', payload } }))
      yield* tx.insertEvent(buildEvent({ id: ID, lastSequence: index }, { eventType: 'note', payload }, NOW))
    }
  })
  const connection = new SqliteConnection(path)
  onTestFinished(() => connection.close())
  connection.exec('begin')
  const session = createSqliteSession(connection)
  let queries = 0
  const counting: SqlSession = {
    ...session,
    all(statement, params) {
      queries += 1
      return session.all(statement, params)
    },
  }
  const reader = createSqlReader(
    counting,
    createSqlitePlatform({ registryId: store.registryId, clock: () => NOW, changes: new ChangeCounter() }),
  )
  expect(runSynchronously(list(reader))).toHaveLength(ROWS)
  expect(queries).toBe(2)
})
