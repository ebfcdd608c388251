import type { ProcessId } from '../../model/ids.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { ProcessStatus } from '../../model/outcome.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { Operation } from '../store.ts'
import { recordFromRow } from './rows.ts'
import type { ProcessRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare, type Statement } from './statement.ts'
import { waitsOf } from './waits.ts'

interface ListBindings {
  readonly status: ProcessStatus
  readonly kind: string
  readonly after: ProcessId
  readonly limit: number
}

/** Which conditions a list has. Each shape is a statement of its own, so that every one can use the right index. */
interface ListShape {
  readonly hasStatus: boolean
  readonly hasKind: boolean
  readonly waiting: boolean | undefined
  readonly silent: boolean | undefined
}

export function* listProcesses(
  session: SqlSession,
  filter: ProcessListFilter,
  page: { after: string; limit: number },
): Operation<ProcessRecord[]> {
  const { status = 'running', kind, waiting, silent } = filter
  const statement = statementFor({
    hasStatus: status !== 'any',
    hasKind: kind !== undefined,
    waiting,
    silent,
  })
  const rows = yield* session.all(statement, {
    status: status === 'any' ? 'running' : status,
    kind: kind ?? '',
    after: page.after as ProcessId,
    limit: page.limit,
  })
  const records: ProcessRecord[] = []
  for (const row of rows) records.push(recordFromRow(row, yield* waitsOf(session, row)))
  return records
}

/** At most 36, so they are kept for ever. */
const statements = new Map<string, Statement<ListBindings, ProcessRow>>()

export function statementFor(shape: ListShape): Statement<ListBindings, ProcessRow> {
  const key = JSON.stringify([shape.hasStatus, shape.hasKind, shape.waiting ?? null, shape.silent ?? null])
  const known = statements.get(key)
  if (known !== undefined) return known
  const made = prepareList(shape)
  statements.set(key, made)
  return made
}

const prepareList = ({ hasStatus, hasKind, waiting, silent }: ListShape) =>
  prepare((db, p: Named<ListBindings>) => {
    let query = db.selectFrom('processes').selectAll().where('id', '>', p.after)
    if (hasStatus) query = query.where('status', '=', p.status)
    if (hasKind) query = query.where('kind', '=', p.kind)
    if (waiting !== undefined) query = query.where('wait_count', waiting ? '>' : '=', 0)
    if (silent !== undefined) query = query.where('silent_since', silent ? 'is not' : 'is', null)
    return query.orderBy('id').limit(p.limit)
  })
