import type { RawBuilder } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { WaitState } from '../../model/wait.ts'
import type { Operation, Waiter } from '../store.ts'
import { allOfList, prepareForList } from './in-list.ts'
import type { ProcessRow, WaitRow } from './process-tables.ts'
import { fromWaitRow, toWaitRow } from './rows/wait-row.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const selectWaits = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('waits').selectAll().where('process_id', '=', p.id).orderBy('position'),
)

/** The waits of a row. The row itself says whether there are any, so that most cost no query. */
export function* waitsOf(
  session: SqlSession,
  row: Pick<ProcessRow, 'id' | 'wait_count'>,
): Operation<readonly WaitState[]> {
  if (row.wait_count === 0) return []
  return (yield* session.all(selectWaits, { id: row.id })).map(fromWaitRow)
}

const selectWaitsOfMany = prepareForList((db, ids: RawBuilder<ProcessId>[]) =>
  db.selectFrom('waits').selectAll().where('process_id', 'in', ids).orderBy('process_id').orderBy('position'),
)

/** The waits of each of the rows, by its id: one query for all. */
export function* waitsOfMany(
  session: SqlSession,
  rows: readonly Pick<ProcessRow, 'id' | 'wait_count'>[],
): Operation<(row: Pick<ProcessRow, 'id'>) => readonly WaitState[]> {
  const waiting = rows.filter(row => row.wait_count > 0).map(({ id }) => id)
  const found = Map.groupBy(yield* allOfList(session, selectWaitsOfMany, waiting), wait => wait.process_id)
  return ({ id }) => (found.get(id) ?? []).map(fromWaitRow)
}

const selectWaiters = prepareForList((db, keys) =>
  db.selectFrom('waits').select(['process_id', 'awaited']).where('awaited', 'in', keys),
)

export function* listWaiters(session: SqlSession, keys: readonly string[]): Operation<Waiter[]> {
  const rows = yield* allOfList(session, selectWaiters, keys, 'seldom')
  return rows.map(({ process_id, awaited }) => ({ id: process_id, key: awaited ?? '' }))
}

const selectDependent = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('waits').select('process_id').where('awaited_process', '=', p.id).limit(1),
)

export function* isAwaited(session: SqlSession, id: ProcessId): Operation<boolean> {
  return (yield* session.all(selectDependent, { id })).length > 0
}

const insertWait = prepare((db, p: Named<WaitRow>) =>
  db
    .insertInto('waits')
    .values(
      columns(p, [
        'process_id',
        'key',
        'position',
        'since',
        'until',
        'on',
        'awaited',
        'awaited_process',
        'satisfied_at',
      ]),
    ),
)

export function* insertWaits(
  session: SqlSession,
  id: ProcessId,
  waits: readonly WaitState[],
): Operation<void> {
  for (const [position, wait] of waits.entries()) {
    yield* session.send(insertWait, toWaitRow(id, wait, position))
  }
}

const deleteWaits = prepare((db, p: Named<{ id: ProcessId }>) =>
  db.deleteFrom('waits').where('process_id', '=', p.id),
)

export function* replaceWaits(
  session: SqlSession,
  id: ProcessId,
  waits: readonly WaitState[],
): Operation<void> {
  if (!session.withoutWaits.delete(id)) yield* session.send(deleteWaits, { id })
  yield* insertWaits(session, id, waits)
}
