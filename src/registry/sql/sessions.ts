import { type Kysely, sql } from 'kysely'
import type { Session, SessionEntry } from '../../model/session.ts'
import type { Operation } from '../store.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveSessionBlobs, takeOutOfRow } from './blobs.ts'
import { decode, encode, encodeOptional } from './json-text.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import type { SessionEntryRow, SessionRow } from './session-tables.ts'
import { columns, type Named, prepare } from './statement.ts'

const MUTABLE_COLUMNS = [
  'open_for',
  'closed_at',
  'last_position',
  'version',
  'updated_at',
] as const satisfies readonly (keyof SessionRow)[]

const COLUMNS = [
  'session_id',
  'policy',
  'plugin_options',
  'caused_by',
  'created_at',
  ...MUTABLE_COLUMNS,
] as const satisfies readonly (keyof SessionRow)[]

const toRow = (session: Session): SessionRow => ({
  session_id: session.sessionId,
  policy: encode(session.policy),
  plugin_options: encode(session.pluginOptions),
  caused_by: encodeOptional(session.causedBy),
  open_for: session.openFor ?? null,
  closed_at: session.closedAtMs ?? null,
  last_position: session.lastPosition,
  version: session.version,
  created_at: session.createdAtMs,
  updated_at: session.updatedAtMs,
})

const fromRow = (row: SessionRow): Session => ({
  sessionId: row.session_id,
  policy: decode(row.policy),
  pluginOptions: decode(row.plugin_options),
  ...(row.caused_by === null ? {} : { causedBy: decode(row.caused_by) }),
  ...(row.open_for === null ? {} : { openFor: row.open_for }),
  ...(row.closed_at === null ? {} : { closedAtMs: row.closed_at }),
  lastPosition: row.last_position,
  version: row.version,
  createdAtMs: row.created_at,
  updatedAtMs: row.updated_at,
})

function* toSession(session: SqlSession, rows: SessionRow[]): Operation<Session | undefined> {
  const [row] = yield* putBackIntoRows(session, rows, BLOB_COLUMNS.sessions, ownerOf)
  return row && fromRow(row)
}

const ownerOf = (row: { readonly session_id: string }) => ({ sessionId: row.session_id })

const byId = (db: Kysely<Schema>, p: Named<{ id: string }>) =>
  db.selectFrom('sessions').selectAll().where('session_id', '=', p.id)

const selectSession = prepare((db, p: Named<{ id: string }>) => byId(db, p))

export function* loadSession(session: SqlSession, id: string): Operation<Session | undefined> {
  return yield* toSession(session, yield* session.all(selectSession, { id }))
}

const selectSessionForUpdate = prepare((db, p: Named<{ id: string }>, { forUpdate }) =>
  forUpdate(byId(db, p)),
)

export function* loadSessionForUpdate(session: SqlSession, id: string): Operation<Session | undefined> {
  return yield* toSession(session, yield* session.all(selectSessionForUpdate, { id }))
}

const insertRow = prepare((db, p: Named<SessionRow>) =>
  db
    .insertInto('sessions')
    .values(columns(p, COLUMNS))
    .onConflict(oc => oc.column('session_id').doNothing()),
)

export function* insertSession(session: SqlSession, created: Session): Operation<boolean> {
  const { row, blobs } = takeOutOfRow(toRow(created), BLOB_COLUMNS.sessions)
  if ((yield* session.run(insertRow, row)) === 0) return false
  yield* saveSessionBlobs(session, row.session_id, blobs)
  return true
}

const updateRow = prepare((db, p: Named<SessionRow & { expected_version: number }>) =>
  db
    .updateTable('sessions')
    .set(columns(p, MUTABLE_COLUMNS))
    .where('session_id', '=', p.session_id)
    .where('version', '=', p.expected_version),
)

export function* saveSession(
  session: SqlSession,
  saved: Session,
  expectedVersion: number,
): Operation<boolean> {
  const row = { ...toRow(saved), expected_version: expectedVersion }
  return (yield* session.run(updateRow, row)) === 1
}

const deleteRow = prepare((db, p: Named<{ id: string }>) =>
  db.deleteFrom('sessions').where('session_id', '=', p.id),
)

export function* deleteSession(session: SqlSession, id: string): Operation<void> {
  yield* session.send(deleteRow, { id })
}

const selectEntries = prepare((db, p: Named<{ id: string; after: number; limit: number }>) =>
  db
    .selectFrom('session_entries')
    .selectAll()
    .where('session_id', '=', p.id)
    .where('position', '>', p.after)
    .orderBy('position')
    .limit(p.limit),
)

export function* listSessionEntries(
  session: SqlSession,
  id: string,
  after: number,
  limit: number,
): Operation<SessionEntry[]> {
  const found = yield* session.all(selectEntries, { id, after, limit })
  return (yield* putBackIntoRows(session, found, BLOB_COLUMNS.sessionEntries, ownerOf)).map(row => ({
    position: row.position,
    turnId: row.turn_id,
    kind: row.kind,
    message: decode(row.message),
    appendedAtMs: row.appended_at,
  }))
}

const selectLastSummary = prepare((db, p: Named<{ id: string }>) =>
  db
    .selectFrom('session_entries')
    .select('position')
    .where('session_id', '=', p.id)
    // As a literal, so that the partial index is seen to fit.
    .where('kind', '=', sql.lit<SessionEntry['kind']>('summary'))
    .orderBy('position', 'desc')
    .limit(1),
)

export function* findLastSummary(session: SqlSession, id: string): Operation<number | undefined> {
  const [row] = yield* session.all(selectLastSummary, { id })
  return row?.position
}

const insertEntryRow = prepare((db, p: Named<SessionEntryRow>) =>
  db
    .insertInto('session_entries')
    .values(columns(p, ['session_id', 'position', 'turn_id', 'kind', 'message', 'appended_at'])),
)

export function* insertSessionEntry(
  session: SqlSession,
  sessionId: string,
  entry: SessionEntry,
): Operation<void> {
  const whole: SessionEntryRow = {
    session_id: sessionId,
    position: entry.position,
    turn_id: entry.turnId,
    kind: entry.kind,
    message: encode(entry.message),
    appended_at: entry.appendedAtMs,
  }
  const { row, blobs } = takeOutOfRow(whole, BLOB_COLUMNS.sessionEntries)
  yield* session.send(insertEntryRow, row)
  yield* saveSessionBlobs(session, sessionId, blobs)
}
