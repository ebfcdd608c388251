import type { DrainRequest } from '../../model/drain.ts'
import type { Operation } from '../store.ts'
import { decode, encode } from './json-text.ts'
import type { DrainRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const selectDrain = prepare((db, p: Named<{ worker: string }>) =>
  db.selectFrom('drains').selectAll().where('worker_incarnation', '=', p.worker),
)

export function* loadDrain(
  session: SqlSession,
  workerIncarnation: string,
): Operation<DrainRequest | undefined> {
  const [row] = yield* session.all(selectDrain, { worker: workerIncarnation })
  return (
    row && {
      worker: decode(row.worker),
      requestedBy: row.requested_by,
      requestedAtMs: row.requested_at,
      ...(row.report === null ? {} : { report: decode(row.report) }),
    }
  )
}

const upsertDrain = prepare((db, p: Named<DrainRow>) =>
  db
    .insertInto('drains')
    .values(columns(p, ['worker_incarnation', 'worker', 'requested_by', 'requested_at', 'report']))
    .onConflict(oc => oc.column('worker_incarnation').doUpdateSet(columns(p, ['report']))),
)

export function* saveDrain(session: SqlSession, request: DrainRequest): Operation<void> {
  const { worker, requestedBy, requestedAtMs, report } = request
  yield* session.send(upsertDrain, {
    worker_incarnation: worker.incarnationId,
    worker: encode(worker),
    requested_by: requestedBy,
    requested_at: requestedAtMs,
    report: report === undefined ? null : encode(report),
  })
}

const deleteOld = prepare((db, p: Named<{ before: number }>) =>
  db.deleteFrom('drains').where('requested_at', '<', p.before),
)

export function* deleteDrains(session: SqlSession, beforeMs: number): Operation<void> {
  yield* session.send(deleteOld, { before: beforeMs })
}
