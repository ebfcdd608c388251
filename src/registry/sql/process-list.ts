import type { ProcessId } from '../../model/ids.ts'
import { canonicalJson, type Json } from '../../model/json.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { ProcessStatus } from '../../model/outcome.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { IdRange, Operation } from '../store.ts'
import type { JsonText } from './json-text.ts'
import { recordFromRow } from './rows.ts'
import type { ProcessRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare, type Statement } from './statement.ts'
import { waitsOf } from './waits.ts'

interface ListBindings {
  readonly status: ProcessStatus
  readonly kind: string
  readonly label: string
  readonly definition: JsonText<Json>
  readonly originator: string
  readonly occurrence: string
  readonly subscription: string
  readonly created_from: number
  readonly created_before: number
  readonly after: ProcessId
  readonly through: ProcessId
  readonly limit: number
}

export function* listProcesses(
  session: SqlSession,
  filter: ProcessListFilter,
  { after, through, limit }: IdRange,
): Operation<ProcessRecord[]> {
  const { status = 'running', definition = null } = filter
  // What the filter does not say is bound to a parameter that its statement does not have.
  const rows = yield* session.all(statementFor(filter), {
    status: status === 'any' ? 'running' : status,
    kind: filter.identityKind ?? '',
    label: filter.identityLabel ?? '',
    definition: canonicalJson(definition),
    originator: filter.originatorScopeId ?? '',
    occurrence: filter.causedByOccurrenceId ?? '',
    subscription: filter.causedBySubscriptionId ?? '',
    created_from: filter.createdAtStartMs ?? 0,
    created_before: filter.createdAtEndMs ?? 0,
    after: after as ProcessId,
    through: through as ProcessId,
    limit,
  })
  const records: ProcessRecord[] = []
  for (const row of rows) records.push(recordFromRow(row, yield* waitsOf(session, row)))
  return records
}

/** By the fields that are given, and the values of those that change the statement. A host uses a handful of them. */
const statements = new Map<string, Statement<ListBindings, ProcessRow>>()

function statementFor(filter: ProcessListFilter): Statement<ListBindings, ProcessRow> {
  const { status = 'running', waiting, silent } = filter
  const key = [status === 'any', waiting, silent, ...Object.keys(filter).toSorted()].join()
  const known = statements.get(key)
  if (known !== undefined) return known
  const made = prepareList(filter)
  statements.set(key, made)
  return made
}

/** A statement of its own for each set of conditions, so that every one can use the right index. */
const prepareList = (filter: ProcessListFilter) =>
  prepare((db, p: Named<ListBindings>) => {
    const { status, waiting, silent } = filter
    let query = db.selectFrom('processes').selectAll().where('id', '>', p.after).where('id', '<=', p.through)
    if (status !== 'any') query = query.where('status', '=', p.status)
    if (filter.identityKind !== undefined) query = query.where('kind', '=', p.kind)
    if (filter.identityLabel !== undefined) query = query.where('label', '=', p.label)
    if (filter.definition !== undefined) query = query.where('definition', '=', p.definition)
    if (filter.originatorScopeId !== undefined) query = query.where('originator_scope', '=', p.originator)
    if (filter.causedByOccurrenceId !== undefined) query = query.where('occurrence_id', '=', p.occurrence)
    if (filter.causedBySubscriptionId !== undefined)
      query = query.where('subscription_id', '=', p.subscription)
    if (filter.createdAtStartMs !== undefined) query = query.where('created_at', '>=', p.created_from)
    if (filter.createdAtEndMs !== undefined) query = query.where('created_at', '<', p.created_before)
    if (waiting !== undefined) query = query.where('wait_count', waiting ? '>' : '=', 0)
    if (silent !== undefined) query = query.where('silent_since', silent ? 'is not' : 'is', null)
    return query.orderBy('id').limit(p.limit)
  })
