import { type Kysely, sql } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { EndedQuery, EndedRow, Operation } from '../store.ts'
import { byFilter, type FilterBindings, filterBindings, fitting } from './process-filter.ts'
import type { Schema } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'
import { STATUS } from './status.ts'

interface EndedBindings extends FilterBindings {
  readonly before: number
  readonly after_updated: number
  readonly after_id: ProcessId
  readonly limit: number
}

interface WatermarkBindings {
  readonly mark_seq: number
  readonly mark_id: ProcessId
}

/**
 * Always along the index of age, whatever else is asked for: pages in another order would each have to sort all rows of
 * that originator or status.
 */
const endedRows = (db: Kysely<Schema>, filter: ProcessListFilter, p: Named<EndedBindings>) =>
  fitting(
    db
      .selectFrom('processes')
      .select(['id', 'updated_at', 'change_seq'])
      .where('status', '<>', STATUS.running)
      .where('updated_at', '<', p.before)
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('updated_at', 'id'), '>', tuple(p.after_updated, p.after_id)),
      )
      .orderBy('updated_at')
      .orderBy('id')
      .limit(p.limit),
    filter,
    p,
    name => sql`${sql.ref(name)} || ''`,
  )

const selectEnded = byFilter(filter => prepare((db, p: Named<EndedBindings>) => endedRows(db, filter, p)))

const selectEndedUpTo = byFilter(filter =>
  prepare((db, p: Named<EndedBindings & WatermarkBindings>) =>
    endedRows(db, filter, p).where(({ eb, refTuple, tuple }) =>
      eb(refTuple('change_seq', 'id'), '<=', tuple(p.mark_seq, p.mark_id)),
    ),
  ),
)

export function* listEnded(
  session: SqlSession,
  platform: SqlPlatform,
  { before, filter, upTo, after, limit }: EndedQuery,
): Operation<EndedRow[]> {
  const bindings = {
    ...filterBindings(filter),
    before,
    after_updated: after.updatedAtMs,
    after_id: after.id as ProcessId,
    limit,
  }
  const rows =
    upTo === undefined
      ? yield* session.all(selectEnded(filter), bindings)
      : yield* session.all(selectEndedUpTo(filter), {
          ...bindings,
          ...(yield* watermarkOf(session, platform, upTo)),
        })
  return rows.map(row => ({ id: row.id, updatedAtMs: row.updated_at, changeSeq: row.change_seq }))
}

function* watermarkOf(
  session: SqlSession,
  platform: SqlPlatform,
  upTo: NonNullable<EndedQuery['upTo']>,
): Operation<WatermarkBindings> {
  const { changeSeq, id } = yield* platform.positionOf(session, upTo)
  return { mark_seq: changeSeq, mark_id: id }
}

const countEvents = prepare((db, p: Named<{ id: ProcessId }>) =>
  db
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('process_id', '=', p.id),
)

const deleteRow = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.deleteFrom('processes').where('id', '=', p.id).where('status', '<>', 'running'),
)

/** Leases refer to no process, because the registry holds some itself; everything else goes with the row. */
const deleteLease = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.deleteFrom('leases').where('process_id', '=', p.id),
)

export function* deleteProcess(session: SqlSession, id: ProcessId): Operation<number | undefined> {
  session.memory?.forget(id)
  const [events] = yield* session.all(countEvents, { id })
  if ((yield* session.run(deleteRow, { id })) === 0) return undefined
  yield* session.send(deleteLease, { id })
  return events?.count ?? 0
}
