import type { ProcessId } from '../../model/ids.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { IdRange, Operation } from '../store.ts'
import { byFilter, type FilterBindings, filterBindings, fitting } from './process-filter.ts'
import { wholeProcesses } from './processes.ts'
import { recordFromRow } from './rows.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'
import { waitsOfMany } from './waits.ts'

interface ListBindings extends FilterBindings {
  readonly after: ProcessId
  readonly through: ProcessId
  readonly limit: number
}

const selectPage = byFilter(filter =>
  prepare((db, p: Named<ListBindings>) =>
    fitting(db.selectFrom('processes').selectAll(), filter, p)
      .where('id', '>', p.after)
      .where('id', '<=', p.through)
      .orderBy('id')
      .limit(p.limit),
  ),
)

export function* listProcesses(
  session: SqlSession,
  filter: ProcessListFilter,
  { after, through, limit }: IdRange,
): Operation<ProcessRecord[]> {
  const found = yield* session.all(selectPage(filter), {
    ...filterBindings(filter),
    after: after as ProcessId,
    through: through as ProcessId,
    limit,
  })
  const rows = yield* wholeProcesses(session, found)
  const waitsOf = yield* waitsOfMany(session, rows)
  return rows.map(row => recordFromRow(row, waitsOf(row)))
}
