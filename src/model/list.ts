import { boolean, type FieldsOf, json, object, oneOf, optional, Place, text, wholeNumber } from './decode.ts'
import { LeaseholdError } from './errors.ts'
import { type Json, jsonEquals } from './json.ts'
import { type ProcessStatus, TERMINAL_STATUSES } from './outcome.ts'
import type { ProcessRecord } from './process.ts'
import { originatorScopeId, triggerOf } from './provenance.ts'

/** A row is listed if it fits every field that is given. */
export interface ProcessListFilter {
  /** Default `running`: the live rows. */
  readonly status?: ProcessStatus | 'any'
  readonly waiting?: boolean
  readonly silent?: boolean
  readonly identityKind?: string
  readonly identityLabel?: string
  /** Equal as JSON. */
  readonly definition?: Json
  /** Exactly this scope: a session's frames have scopes of their own. */
  readonly originatorScopeId?: string
  readonly causedByOccurrenceId?: string
  readonly causedBySubscriptionId?: string
  /** Inclusive. */
  readonly createdAtStartMs?: number
  /** Exclusive. */
  readonly createdAtEndMs?: number
}

/**
 * Pages are ordered by process id, in byte order. The next page starts strictly after the last id of this one and ends
 * at the same bound, so a reading comes to an end however many rows are added meanwhile.
 */
export interface PageRequest {
  readonly after?: string
  /** The last id of the whole reading, inclusive. Default: the greatest there is now. */
  readonly through?: string
  /** Default 100, at most 1,000. */
  readonly limit?: number
}

export const MAX_PAGE = 1_000
export const LIST_STATUSES = ['running', ...TERMINAL_STATUSES, 'any'] as const

/** The fields that any process can be chosen by, whatever has become of it. */
export const LIST_FIELDS = {
  identityKind: optional(text),
  identityLabel: optional(text),
  definition: optional(json),
  originatorScopeId: optional(text),
  causedByOccurrenceId: optional(text),
  causedBySubscriptionId: optional(text),
  createdAtStartMs: optional(wholeNumber),
  createdAtEndMs: optional(wholeNumber),
} satisfies Partial<FieldsOf<ProcessListFilter>>

const listFilter = object<ProcessListFilter>({
  status: optional(oneOf(LIST_STATUSES)),
  waiting: optional(boolean),
  silent: optional(boolean),
  ...LIST_FIELDS,
})

/** Takes a filter from untyped input; an unknown key or a wrong type is an error that names the field. */
export const parseListFilter = (input: unknown): ProcessListFilter =>
  listFilter(input, new Place('list filter', 'usage'))

/** The meaning of each field of a filter; a database says the same in its own words. */
export function fitsFilter(record: ProcessRecord, filter: ProcessListFilter): boolean {
  const { status = 'running', waiting, silent, createdAtStartMs, createdAtEndMs } = filter
  const { kind, label, definition } = record.identity
  const trigger = triggerOf(record.provenance)
  return (
    (status === 'any' || record.status === status) &&
    isAsked(record.waits.length > 0, waiting) &&
    isAsked(record.silentSinceMs !== undefined, silent) &&
    isAsked(kind, filter.identityKind) &&
    isAsked(label, filter.identityLabel) &&
    (filter.definition === undefined ||
      (definition !== undefined && jsonEquals(definition, filter.definition))) &&
    isAsked(originatorScopeId(record.provenance.originator), filter.originatorScopeId) &&
    isAsked(trigger.occurrenceId, filter.causedByOccurrenceId) &&
    isAsked(trigger.subscriptionId, filter.causedBySubscriptionId) &&
    (createdAtStartMs === undefined || record.createdAtMs >= createdAtStartMs) &&
    (createdAtEndMs === undefined || record.createdAtMs < createdAtEndMs)
  )
}

const isAsked = <T>(found: T | undefined, asked: T | undefined): boolean =>
  asked === undefined || found === asked

export function requirePageLimit(limit = 100): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit
  throw new LeaseholdError('usage', `A page holds 1 to ${MAX_PAGE} rows; found ${limit}.`)
}
