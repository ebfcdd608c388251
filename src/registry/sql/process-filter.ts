import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { canonicalJson, type Json } from '../../model/json.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { JsonText } from './json-text.ts'
import type { ProcessRow } from './process-tables.ts'
import type { Schema } from './schema.ts'
import type { Named } from './statement.ts'
import { STATUS } from './status.ts'

/** The values of a filter. What it does not say is bound to a parameter that its statement does not have. */
export interface FilterBindings {
  readonly kind: string
  readonly label: string
  readonly definition: JsonText<Json>
  readonly originator: string
  readonly occurrence: string
  readonly subscription: string
  readonly created_from: number
  readonly created_before: number
}

export function filterBindings(filter: ProcessListFilter): FilterBindings {
  const { definition = null } = filter
  return {
    kind: filter.identityKind ?? '',
    label: filter.identityLabel ?? '',
    definition: canonicalJson(definition),
    originator: filter.originatorScopeId ?? '',
    occurrence: filter.causedByOccurrenceId ?? '',
    subscription: filter.causedBySubscriptionId ?? '',
    created_from: filter.createdAtStartMs ?? 0,
    created_before: filter.createdAtEndMs ?? 0,
  }
}

/**
 * A statement of its own for each set of conditions, so that every one can use the right index: by the fields that are
 * given, and the values of those that change the statement. A host uses a handful of them.
 */
export function byFilter<Made>(
  make: (filter: ProcessListFilter) => Made,
): (filter: ProcessListFilter) => Made {
  const statements = new Map<string, Made>()
  return filter => {
    const { status = 'running', waiting, silent } = filter
    const key = [status, waiting, silent, ...Object.keys(filter).toSorted()].join()
    const made = statements.get(key) ?? make(filter)
    statements.set(key, made)
    return made
  }
}

type ColumnName = keyof ProcessRow & string

/** `column` writes a column's name; another way of writing it keeps an index on it from being used. */
export function fitting<Row>(
  query: SelectQueryBuilder<Schema, 'processes', Row>,
  filter: ProcessListFilter,
  p: Named<FilterBindings>,
  column: (name: ColumnName) => RawBuilder<unknown> = name => sql.ref(name),
): SelectQueryBuilder<Schema, 'processes', Row> {
  const { status = 'running', waiting, silent } = filter
  let fit = query
  if (status !== 'any') fit = fit.where(column('status'), '=', STATUS[status])
  if (filter.identityKind !== undefined) fit = fit.where(column('kind'), '=', p.kind)
  if (filter.identityLabel !== undefined) fit = fit.where(column('label'), '=', p.label)
  if (filter.definition !== undefined) fit = fit.where(column('definition'), '=', p.definition)
  if (filter.originatorScopeId !== undefined) fit = fit.where(column('originator_scope'), '=', p.originator)
  if (filter.causedByOccurrenceId !== undefined) fit = fit.where(column('occurrence_id'), '=', p.occurrence)
  if (filter.causedBySubscriptionId !== undefined)
    fit = fit.where(column('subscription_id'), '=', p.subscription)
  if (filter.createdAtStartMs !== undefined) fit = fit.where('created_at', '>=', p.created_from)
  if (filter.createdAtEndMs !== undefined) fit = fit.where('created_at', '<', p.created_before)
  if (waiting !== undefined) fit = fit.where('wait_count', waiting ? '>' : '=', 0)
  if (silent !== undefined) fit = fit.where('silent_since', silent ? 'is not' : 'is', null)
  return fit
}
