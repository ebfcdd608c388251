import type { WorkerRow } from '../../model/worker-row.ts'
import type { Operation } from '../store.ts'
import { fromWorkerRow, toWorkerRow } from './rows/worker-row.ts'
import type { WorkerTableRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const selectWorkers = prepare((db, p: Named<{ host: string }>) =>
  db.selectFrom('workers').selectAll().where('host_id', '=', p.host).orderBy('incarnation_id'),
)

const selectAllWorkers = prepare(db => db.selectFrom('workers').selectAll().orderBy('incarnation_id'))

export function* listWorkers(session: SqlSession, hostId?: string): Operation<WorkerRow[]> {
  const rows =
    hostId === undefined
      ? yield* session.all(selectAllWorkers, {})
      : yield* session.all(selectWorkers, { host: hostId })
  return rows.map(fromWorkerRow)
}

const upsertWorker = prepare((db, p: Named<WorkerTableRow>) =>
  db
    .insertInto('workers')
    .values(columns(p, ['incarnation_id', 'host_id', 'worker', 'started_at', 'last_seen']))
    .onConflict(oc =>
      oc.column('incarnation_id').doUpdateSet(columns(p, ['host_id', 'worker', 'started_at', 'last_seen'])),
    ),
)

export function* saveWorker(session: SqlSession, row: WorkerRow): Operation<void> {
  yield* session.send(upsertWorker, toWorkerRow(row))
}

const removeWorker = prepare((db, p: Named<{ incarnation: string }>) =>
  db.deleteFrom('workers').where('incarnation_id', '=', p.incarnation),
)

export function* deleteWorker(session: SqlSession, incarnationId: string): Operation<void> {
  yield* session.send(removeWorker, { incarnation: incarnationId })
}
