import type { WaitingTurn } from '../../model/session.ts'
import type { Operation } from '../store.ts'
import type { SqlSession } from './session.ts'
import type { SessionTombstoneRow, WaitingTurnRow } from './session-tables.ts'
import { columns, type Named, prepare } from './statement.ts'

const selectTurns = prepare((db, p: Named<{ id: string }>) =>
  db
    .selectFrom('waiting_turns')
    .select(['position', 'turn_id'])
    .where('session_id', '=', p.id)
    .orderBy('position'),
)

export function* listWaitingTurns(session: SqlSession, id: string): Operation<WaitingTurn[]> {
  const rows = yield* session.all(selectTurns, { id })
  return rows.map(({ position, turn_id }) => ({ position, turnId: turn_id }))
}

const insertTurn = prepare((db, p: Named<WaitingTurnRow>) =>
  db.insertInto('waiting_turns').values(columns(p, ['session_id', 'position', 'turn_id'])),
)

export function* insertWaitingTurn(
  session: SqlSession,
  id: string,
  { position, turnId }: WaitingTurn,
): Operation<void> {
  yield* session.send(insertTurn, { session_id: id, position, turn_id: turnId })
}

const deleteTurn = prepare((db, p: Named<{ id: string; position: number }>) =>
  db.deleteFrom('waiting_turns').where('session_id', '=', p.id).where('position', '=', p.position),
)

export function* deleteWaitingTurn(session: SqlSession, id: string, position: number): Operation<void> {
  yield* session.send(deleteTurn, { id, position })
}

const selectTombstone = prepare((db, p: Named<{ id: string }>) =>
  db.selectFrom('session_tombstones').select('session_id').where('session_id', '=', p.id),
)

export function* hasSessionTombstone(session: SqlSession, id: string): Operation<boolean> {
  return (yield* session.all(selectTombstone, { id })).length > 0
}

const insertTombstone = prepare((db, p: Named<SessionTombstoneRow>) =>
  db
    .insertInto('session_tombstones')
    .values(columns(p, ['session_id', 'deleted_at']))
    .onConflict(oc => oc.column('session_id').doUpdateSet({ deleted_at: p.deleted_at })),
)

export function* insertSessionTombstone(session: SqlSession, id: string, at: number): Operation<void> {
  yield* session.send(insertTombstone, { session_id: id, deleted_at: at })
}

const deleteTombstone = prepare((db, p: Named<{ id: string }>) =>
  db.deleteFrom('session_tombstones').where('session_id', '=', p.id),
)

export function* deleteSessionTombstone(session: SqlSession, id: string): Operation<void> {
  yield* session.send(deleteTombstone, { id })
}

const deleteOld = prepare((db, p: Named<{ before: number }>) =>
  db.deleteFrom('session_tombstones').where('deleted_at', '<', p.before),
)

export function* deleteSessionTombstones(session: SqlSession, before: number): Operation<void> {
  yield* session.send(deleteOld, { before })
}
