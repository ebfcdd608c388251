import { expect, onTestFinished, test } from 'vitest'
import type { WaitCondition } from '../../src/model/wait.ts'
import { MIGRATIONS } from '../../src/registry/sql/migrations.ts'
import { SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { migrate } from '../../src/registry/sql/sqlite/migrate.ts'
import { temporaryPath } from './store-fixtures.ts'

/** A file as the first version wrote it, with one row for each pair of provenance and wake target. */
async function firstVersion(
  rows: readonly { provenance: object; wakeTarget?: object }[],
  waits: readonly WaitCondition[] = [],
) {
  const path = await temporaryPath()
  const connection = new SqliteConnection(path)
  onTestFinished(() => connection.close())
  migrate(connection, path, MIGRATIONS.slice(0, 1))
  for (const [index, { provenance, wakeTarget }] of rows.entries()) {
    const text = (value: object | undefined) =>
      value === undefined ? 'null' : `'${JSON.stringify(value).replaceAll("'", "''")}'`
    connection.exec(`
      insert into processes (
        id, kind, disposition, input, event_types, provenance, wake_target, registration_hash, incarnation,
        created_at, updated_at, status, wait_count, attempts, last_sequence, change_seq, submissions, failures,
        attempts_spent, is_attempt_open, is_run_waiting, epoch
      ) values (
        'p${index}', 'survey', 'rerunnable', '{}', '[]', ${text(provenance)}, ${text(wakeTarget)}, 'hash', 'life',
        0, 0, 'running', 0, 0, 0, ${index + 1}, 0, 0, 0, 0, 0, 0
      )`)
  }
  for (const [index, on] of waits.entries()) {
    connection.exec(`
      insert into waits (process_id, key, position, since, "on")
      values ('p0', 'w${index}', ${index}, 0, '${JSON.stringify(on)}')`)
  }
  migrate(connection, path)
  return connection
}

test('rows of the first version are found by originator and wake target', async () => {
  const originators = [
    { originator: { type: 'host' }, found: 'host' },
    { originator: { type: 'host', scope: 'cron' }, found: 'host:cron' },
    { originator: { type: 'session', scope: { sessionId: "it's" } }, found: "session:it's" },
    {
      originator: { type: 'session', scope: { sessionId: 'S', agentFrameId: 'F' } },
      found: 'session:S/frame:F',
    },
    { originator: { type: 'session', scope: { sessionId: 'S', agentFrameId: '' } }, found: 'session:S' },
  ]
  const connection = await firstVersion([
    ...originators.map(({ originator }) => ({ provenance: { originator } })),
    { provenance: { originator: { type: 'host' } }, wakeTarget: { sessionId: 'S', agentFrameId: 'F' } },
  ])
  const column = (index: number, name: string) =>
    connection.value(`select ${name} from processes where id = 'p${index}'`)
  expect(originators.map((_, index) => column(index, 'originator_scope'))).toEqual(
    originators.map(({ found }) => found),
  )
  expect([column(0, 'wake_session'), column(originators.length, 'wake_session')]).toEqual([null, 'S'])
})

test('what the waits of the first version depend on is not pruned', async () => {
  const connection = await firstVersion(
    [{ provenance: { originator: { type: 'host' } } }],
    [
      { type: 'process', processId: 'one' },
      { type: 'event', processId: 'two', eventType: 'note', after: 0 },
      { type: 'timer' },
      { type: 'signal', name: 'go' },
    ],
  )
  const awaited = (index: number) =>
    connection.value(`select awaited_process from waits where key = 'w${index}'`)
  expect([0, 1, 2, 3].map(awaited)).toEqual(['one', 'two', null, null])
})
