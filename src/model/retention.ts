/**
 * What happens to processes that nobody needs any more.
 *
 *   ended ──prune──▶ tombstone ──compact──▶ (the id was never there)
 *                        └──register with reuse──▶ running, a new life of the id
 *
 * Only ended processes are pruned, and time alone prunes none: somebody asks, or set a retention. The tombstone keeps
 * the id from being taken for a new one: a start that is repeated late must not do the work again. A new life goes on
 * above the old fence and sequence, so that no writer and no receiver of the old one can mistake it for theirs.
 */
import { object, oneOf, optional, Place, text, wholeNumber } from './decode.ts'
import { LeaseholdError } from './errors.ts'
import type { ChangeCursor, ProcessId } from './ids.ts'
import type { StoredLease } from './lease.ts'
import { fitsFilter, LIST_FIELDS, type ProcessListFilter } from './list.ts'
import { isTerminal, TERMINAL_STATUSES, type TerminalStatus } from './outcome.ts'
import type { StoredProcess } from './process.ts'

/** What is left of a pruned process. Nothing of what it was given, did or came to is in it. */
export interface Tombstone {
  readonly id: ProcessId
  readonly status: TerminalStatus
  readonly prunedAtMs: number
  /** The last fencing token and the last sequence that were given. */
  readonly fence: number
  readonly lastSequence: number
}

export interface PruneRequest {
  /** Milliseconds since the epoch, exclusive: processes that changed last before it. */
  readonly before: number
  readonly filter?: PruneFilter
  /** Only what a reader of the change feed has seen by this cursor. */
  readonly upTo?: ChangeCursor
}

/** As for lists, but of ended processes only. */
export interface PruneFilter extends Omit<ProcessListFilter, 'status' | 'waiting' | 'silent'> {
  /** Default `any` of the four. */
  readonly status?: TerminalStatus | 'any'
}

/** Between two ended processes, in the order in which they changed last. */
export interface EndedPlace {
  readonly updatedAtMs: number
  readonly id: string
}

/** Somebody still needs it, so it stays although it is old enough. */
export const KEEP_REASONS = [
  /** Its run in the backend waits and does not know of the end yet; the sweep will tell it. */
  'run_untold',
  /** A session has still to hear of it. A wake that was given up keeps nothing. */
  'wake_on_its_way',
  /** Another process waits for it, or has not gone on since. */
  'awaited',
] as const

export type KeepReason = (typeof KEEP_REASONS)[number]

export type PruneDecision =
  | { readonly type: 'prune'; readonly tombstone: Tombstone }
  | { readonly type: 'keep'; readonly reason: KeepReason }
  /** It changed since it was listed, or is none of those that were asked for. */
  | { readonly type: 'pass_over' }

/** Takes a request from untyped input; what it does not know, it refuses by name. */
export const parsePruneRequest = (input: unknown): PruneRequest =>
  pruneRequest(input, new Place('prune request', 'usage'))

const pruneRequest = object<PruneRequest>({
  before: wholeNumber,
  filter: optional(
    object<PruneFilter>({ status: optional(oneOf([...TERMINAL_STATUSES, 'any'])), ...LIST_FIELDS }),
  ),
  upTo: optional((value, at) => text(value, at) as ChangeCursor),
})

/** A lease on an ended row protects nothing: it was claimed after the end, and no body runs under it. */
export function decidePrune(
  stored: StoredProcess | undefined,
  request: PruneRequest,
  seen: {
    /** The change position at which the row was listed. */
    readonly changeSeq: number
    readonly lease: StoredLease | undefined
    readonly hasDueWake: boolean
    readonly isAwaited: boolean
  },
  now: number,
): PruneDecision {
  if (stored === undefined || stored.record.changeSeq !== seen.changeSeq) return { type: 'pass_over' }
  const { id, status, updatedAtMs, lastSequence } = stored.record
  const isMeant =
    updatedAtMs < request.before && fitsFilter(stored.record, { status: 'any', ...request.filter })
  if (!isTerminal(status) || !isMeant) return { type: 'pass_over' }
  if (stored.isRunWaiting) return { type: 'keep', reason: 'run_untold' }
  if (seen.hasDueWake) return { type: 'keep', reason: 'wake_on_its_way' }
  if (seen.isAwaited) return { type: 'keep', reason: 'awaited' }
  const fence = seen.lease?.fence ?? 0
  return { type: 'prune', tombstone: { id, status, prunedAtMs: now, fence, lastSequence } }
}

export const noLongerRetained = ({ id, status, prunedAtMs }: Tombstone): LeaseholdError =>
  new LeaseholdError(
    'process_no_longer_retained',
    `Process "${id}" ended as ${status} and was pruned at ${new Date(prunedAtMs).toISOString()}: its record, log and outcome are gone. To run something new under this id, start it with reuse.`,
    { processId: id, details: { status, prunedAtMs } },
  )
