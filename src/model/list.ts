import { LeaseholdError } from './errors.ts'
import { type ProcessStatus, TERMINAL_STATUSES } from './outcome.ts'

export interface ProcessListFilter {
  /** Default `running`: the live rows. */
  readonly status?: ProcessStatus | 'any'
  readonly kind?: string
  readonly waiting?: boolean
  readonly silent?: boolean
}

/** Pages are ordered by process id, in byte order; the next page starts strictly after the last id of this one. */
export interface PageRequest {
  readonly after?: string
  /** Default 100, at most 1,000. */
  readonly limit?: number
}

export const MAX_PAGE = 1_000
export const LIST_STATUSES = ['running', ...TERMINAL_STATUSES, 'any'] as const

const FILTER_FIELDS: Readonly<Record<keyof ProcessListFilter, (value: unknown) => boolean>> = {
  status: value => LIST_STATUSES.some(status => status === value),
  kind: value => typeof value === 'string',
  waiting: value => typeof value === 'boolean',
  silent: value => typeof value === 'boolean',
}

/** Parses a filter from untyped input; an unknown key or a wrong type is an error that names the field. */
export function parseListFilter(input: unknown): ProcessListFilter {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new LeaseholdError('usage', 'A list filter is an object.')
  }
  for (const [field, value] of Object.entries(input)) {
    const isValid = Object.hasOwn(FILTER_FIELDS, field)
      ? FILTER_FIELDS[field as keyof ProcessListFilter]
      : undefined
    if (isValid === undefined) {
      const known = Object.keys(FILTER_FIELDS).join(', ')
      throw new LeaseholdError('usage', `A list filter has no field "${field}". Known: ${known}.`)
    }
    if (!isValid(value)) {
      throw new LeaseholdError('usage', `The list filter's "${field}" cannot be ${JSON.stringify(value)}.`)
    }
  }
  return input
}

export function requirePageLimit(limit = 100): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit
  throw new LeaseholdError('usage', `A page holds 1 to ${MAX_PAGE} rows; found ${limit}.`)
}
