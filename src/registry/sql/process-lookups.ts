import type { ProcessId } from '../../model/ids.ts'
import type { LiveReferences } from '../../model/live-references.ts'
import type { Operation } from '../store.ts'
import { decode } from './json-text.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'

const selectGreatest = prepare(db => db.selectFrom('processes').select('id').orderBy('id', 'desc').limit(1))

export function* greatestId(session: SqlSession): Operation<ProcessId | undefined> {
  const [row] = yield* session.all(selectGreatest, {})
  return row?.id
}

interface IdBindings {
  readonly [name: `id_${number}`]: ProcessId
}

/** A statement has a fixed number of places for ids: a few sizes, so that there are few to prepare. */
const lookupOf = (size: number) => ({
  size,
  statement: prepare((db, p: Named<IdBindings>) => {
    const places = Array.from({ length: size }, (_, index) => p[`id_${index}`]).flatMap(place => place ?? [])
    return db
      .selectFrom('processes')
      .select('id')
      .where('id', 'in', places)
      .unionAll(db.selectFrom('tombstones').select('id').where('id', 'in', places))
  }),
})

const NONE = '' as ProcessId
const LARGEST = lookupOf(256)
const LOOKUPS = [lookupOf(1), lookupOf(16), LARGEST]

export function* listRegistered(session: SqlSession, ids: readonly ProcessId[]): Operation<ProcessId[]> {
  const found: ProcessId[] = []
  for (let start = 0; start < ids.length; start += LARGEST.size) {
    const part = ids.slice(start, start + LARGEST.size)
    const { size, statement } = LOOKUPS.find(lookup => lookup.size >= part.length) ?? LARGEST
    const bindings: { [name: `id_${number}`]: ProcessId } = {}
    // Places that are left over ask for nothing: no process has a blank id.
    for (let index = 0; index < size; index++) bindings[`id_${index}`] = part[index] ?? NONE
    found.push(...(yield* session.all(statement, bindings)).map(({ id }) => id))
  }
  return found
}

const selectLiveReferences = prepare(db =>
  db
    .selectFrom('processes')
    .select(({ fn }) => ['definition', 'env_ref', fn.countAll<number>().as('count')])
    .where('status', '=', 'running')
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
