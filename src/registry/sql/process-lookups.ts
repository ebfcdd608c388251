import type { RawBuilder } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { LiveReferences } from '../../model/live-references.ts'
import type { Operation } from '../store.ts'
import { allOfList, prepareForList } from './in-list.ts'
import { decode } from './json-text.ts'
import type { SqlSession } from './session.ts'
import { prepare } from './statement.ts'
import { STATUS } from './status.ts'

const selectGreatest = prepare(db => db.selectFrom('processes').select('id').orderBy('id', 'desc').limit(1))

export function* greatestId(session: SqlSession): Operation<ProcessId | undefined> {
  const [row] = yield* session.all(selectGreatest, {})
  return row?.id
}

const selectIds = prepareForList((db, ids: RawBuilder<ProcessId>[]) =>
  db
    .selectFrom('processes')
    .select('id')
    .where('id', 'in', ids)
    .unionAll(db.selectFrom('tombstones').select('id').where('id', 'in', ids)),
)

export function* listRegistered(session: SqlSession, ids: readonly ProcessId[]): Operation<ProcessId[]> {
  return (yield* allOfList(session, selectIds, ids)).map(({ id }) => id)
}

const selectLiveReferences = prepare(db =>
  db
    .selectFrom('processes')
    .select(({ fn }) => ['definition', 'env_ref', fn.countAll<number>().as('count')])
    .where('status', '=', STATUS.running)
    .groupBy(['definition', 'env_ref']),
)

export function* countLiveReferences(session: SqlSession): Operation<LiveReferences[]> {
  return (yield* session.all(selectLiveReferences, {})).map(({ definition, env_ref, count }) => ({
    // JSON's null is a definition, SQL's is none.
    ...(definition === null ? {} : { definition: decode(definition) }),
    ...(env_ref === null ? {} : { envRef: env_ref }),
    processCount: count,
  }))
}
