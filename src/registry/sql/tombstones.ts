import type { Kysely } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { Tombstone } from '../../model/retention.ts'
import type { Operation } from '../store.ts'
import type { Schema, TombstoneRow } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const toRow = (tombstone: Tombstone, changeSeq: number): TombstoneRow => ({
  id: tombstone.id,
  status: tombstone.status,
  pruned_at: tombstone.prunedAtMs,
  fence: tombstone.fence,
  last_sequence: tombstone.lastSequence,
  change_seq: changeSeq,
})

const fromRow = (row: TombstoneRow): Tombstone => ({
  id: row.id,
  status: row.status,
  prunedAtMs: row.pruned_at,
  fence: row.fence,
  lastSequence: row.last_sequence,
})

const byId = (db: Kysely<Schema>, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('tombstones').selectAll().where('id', '=', p.id)

const selectTombstone = prepare((db, p: Named<{ id: ProcessId }>) => byId(db, p))

const lockTombstone = prepare((db, p: Named<{ id: ProcessId }>, { forUpdate }) => forUpdate(byId(db, p)))

export function* loadTombstone(session: SqlSession, id: ProcessId): Operation<Tombstone | undefined> {
  const [row] = yield* session.all(selectTombstone, { id })
  return row && fromRow(row)
}

export function* loadTombstoneForUpdate(
  session: SqlSession,
  id: ProcessId,
): Operation<Tombstone | undefined> {
  const [row] = yield* session.seldom(lockTombstone, { id })
  return row && fromRow(row)
}

const insertRow = prepare((db, p: Named<TombstoneRow>, { changePosition }) =>
  db.insertInto('tombstones').values({
    ...columns(p, ['id', 'status', 'pruned_at', 'fence', 'last_sequence']),
    change_seq: changePosition(p.change_seq),
  }),
)

export function* insertTombstone(
  session: SqlSession,
  platform: SqlPlatform,
  tombstone: Tombstone,
): Operation<void> {
  const { id, status } = tombstone
  const change = { id, status, isCancelRequested: false, isPruned: true, dueAtMs: null }
  yield* session.send(insertRow, toRow(tombstone, yield* platform.nextChange(session, change)))
}

const deleteRow = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.deleteFrom('tombstones').where('id', '=', p.id),
)

export function* deleteTombstone(session: SqlSession, id: ProcessId): Operation<void> {
  yield* session.send(deleteRow, { id })
}

const deleteOldest = prepare((db, p: Named<{ before: number; limit: number }>) =>
  db
    .deleteFrom('tombstones')
    .where('id', 'in', oldest =>
      oldest
        .selectFrom('tombstones as old')
        .select('old.id')
        .where('old.pruned_at', '<', p.before)
        .orderBy('old.pruned_at')
        .orderBy('old.id')
        .limit(p.limit),
    ),
)

export function* deleteTombstones(session: SqlSession, before: number, limit: number): Operation<number> {
  return yield* session.run(deleteOldest, { before, limit })
}
