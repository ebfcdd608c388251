import type { Kysely } from 'kysely'
import type { GrantEntry, HandleGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { Operation } from '../store.ts'
import { wholeProcesses } from './processes.ts'
import { fromGrantRow, toGrantRow } from './rows/grant-row.ts'
import { recordFromRow } from './rows/process-row.ts'
import type { GrantRow, Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'
import { waitsOfMany } from './waits.ts'

const GRANT_COLUMNS = [
  'scope_id',
  'process_id',
  'session_id',
  'kind',
  'label',
] as const satisfies readonly (keyof GrantRow)[]

type Pair = { readonly scope_id: string; readonly process_id: ProcessId }

const selectGrant = prepare((db, p: Named<Pair>) =>
  db
    .selectFrom('grants')
    .selectAll()
    .where('scope_id', '=', p.scope_id)
    .where('process_id', '=', p.process_id),
)

export function* loadGrant(
  session: SqlSession,
  scopeId: string,
  processId: ProcessId,
): Operation<HandleGrant | undefined> {
  const [row] = yield* session.all(selectGrant, { scope_id: scopeId, process_id: processId })
  return row && fromGrantRow(row)
}

/**
 * The handle's kind and label stand beside those of the process, under other names. A cross join, because SQLite keeps
 * its order: of live processes it would otherwise go through all there are, and look each up among the grants.
 */
const ofScope = (db: Kysely<Schema>, p: Named<{ scope_id: string }>) =>
  db
    .selectFrom('grants')
    .crossJoin('processes')
    .whereRef('processes.id', '=', 'grants.process_id')
    .selectAll('processes')
    .select(['grants.session_id', 'grants.kind as handle_kind', 'grants.label as handle_label'])
    .where('grants.scope_id', '=', p.scope_id)
    .orderBy('grants.process_id')

const selectOfScope = {
  all: prepare((db, p: Named<{ scope_id: string }>) => ofScope(db, p)),
  live: prepare((db, p: Named<{ scope_id: string }>) =>
    ofScope(db, p).where('processes.status', '=', 'running'),
  ),
}

export function* listGrants(
  session: SqlSession,
  scopeId: string,
  { isLive }: { readonly isLive: boolean },
): Operation<GrantEntry[]> {
  const found = yield* session.all(selectOfScope[isLive ? 'live' : 'all'], { scope_id: scopeId })
  const rows = yield* wholeProcesses(session, found)
  const waitsOf = yield* waitsOfMany(session, rows)
  return rows.map(row => {
    const { session_id, handle_kind: kind, handle_label: label } = row
    const grant = fromGrantRow({ scope_id: scopeId, process_id: row.id, session_id, kind, label })
    return { grant, record: recordFromRow(row, waitsOf(row)) }
  })
}

const selectOfProcess = prepare((db, p: Named<{ id: ProcessId }>) =>
  db
    .selectFrom('grants')
    .selectAll()
    .where('process_id', '=', p.id)
    .orderBy('session_id')
    .orderBy('scope_id'),
)

export function* listGrantsOfProcess(session: SqlSession, id: ProcessId): Operation<HandleGrant[]> {
  return (yield* session.all(selectOfProcess, { id })).map(fromGrantRow)
}

const selectGrantedIds = prepare((db, p: Named<{ session_id: string }>) =>
  db.selectFrom('grants').select('process_id').where('session_id', '=', p.session_id),
)

export function* listGrantedIds(session: SqlSession, sessionId: string): Operation<ProcessId[]> {
  return (yield* session.all(selectGrantedIds, { session_id: sessionId })).map(row => row.process_id)
}

const selectWakingIds = prepare((db, p: Named<{ session_id: string }>) =>
  db.selectFrom('processes').select('id').where('wake_session', '=', p.session_id),
)

export function* listWakingIds(session: SqlSession, sessionId: string): Operation<ProcessId[]> {
  return (yield* session.all(selectWakingIds, { session_id: sessionId })).map(({ id }) => id)
}

const upsertGrant = prepare((db, p: Named<GrantRow>) =>
  db
    .insertInto('grants')
    .values(columns(p, GRANT_COLUMNS))
    .onConflict(oc =>
      oc.columns(['scope_id', 'process_id']).doUpdateSet(columns(p, ['session_id', 'kind', 'label'])),
    ),
)

export function* saveGrant(session: SqlSession, grant: HandleGrant): Operation<void> {
  yield* session.send(upsertGrant, toGrantRow(grant))
}

const deleteRow = prepare((db, p: Named<Pair>) =>
  db.deleteFrom('grants').where('scope_id', '=', p.scope_id).where('process_id', '=', p.process_id),
)

export function* deleteGrant(session: SqlSession, scopeId: string, processId: ProcessId): Operation<void> {
  yield* session.send(deleteRow, { scope_id: scopeId, process_id: processId })
}
