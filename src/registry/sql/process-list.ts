import type { Kysely } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { IdRange, Operation } from '../store.ts'
import { byFilter, type FilterBindings, filterBindings, fitting } from './process-filter.ts'
import { wholeProcesses } from './processes.ts'
import { RECORD_COLUMNS, recordFromRow } from './rows/process-row.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'
import { waitsOfMany } from './waits.ts'

interface ListBindings extends FilterBindings {
  readonly after: ProcessId
  readonly through: ProcessId
  readonly limit: number
}

const page = (db: Kysely<Schema>, filter: ProcessListFilter, p: Named<ListBindings>) =>
  fitting(db.selectFrom('processes').select(RECORD_COLUMNS), filter, p)
    .where('id', '>', p.after)
    .orderBy('id')
    .limit(p.limit)

const selectPage = byFilter(filter => ({
  open: prepare((db, p: Named<ListBindings>) => page(db, filter, p)),
  upTo: prepare((db, p: Named<ListBindings>) => page(db, filter, p).where('id', '<=', p.through)),
}))

export function* listProcesses(
  session: SqlSession,
  filter: ProcessListFilter,
  { after, through, limit }: IdRange,
): Operation<ProcessRecord[]> {
  const { open, upTo } = selectPage(filter)
  const found = yield* session.all(through === undefined ? open : upTo, {
    ...filterBindings(filter),
    after: after as ProcessId,
    through: (through ?? '') as ProcessId,
    limit,
  })
  const rows = yield* wholeProcesses(session, found)
  const waitsOf = yield* waitsOfMany(session, rows)
  return rows.map(row => recordFromRow(row, waitsOf(row)))
}
