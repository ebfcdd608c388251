import type { Flow } from '../../model/flow.ts'
import type { ChangeCursor, LeaseToken, ProcessId } from '../../model/ids.ts'
import type { ProcessStatus, TerminalStatus } from '../../model/outcome.ts'
import type { EndedPlace, PruneFilter } from '../../model/retention.ts'

/* What a store is asked with, and what its verbs answer. */

export interface QueuedProcess {
  readonly id: ProcessId
  readonly flow: Flow
  /** When its turn is, if it was told. */
  readonly atMs?: number
}

/** Where a process stands in a queue: in order of these three. */
export interface QueuePlace {
  readonly priority: number
  readonly createdAtMs: number
  readonly id: ProcessId
}

export interface EndedQuery {
  /** Exclusive: of what changed last before it. */
  readonly before: number
  readonly filter: PruneFilter & { readonly status: TerminalStatus | 'any' }
  /** Inclusive. */
  readonly upTo?: ChangeCursor
  readonly after: EndedPlace
  readonly limit: number
}

export interface EndedRow extends EndedPlace {
  readonly id: ProcessId
  readonly changeSeq: number
}

export interface ChangePage {
  readonly changes: readonly ProcessChange[]
  /** What to go on with; the reader's own cursor if there was nothing to read. */
  readonly next: ChangeCursor
  /** Changes are committed that the feed cannot show yet. Waiters hear of them all the same. */
  readonly heldBackBy?: HeldBack
}

/** A process that changed, as it is when the feed is read: enough to tell who of those who wait has to look. */
export interface ProcessChange {
  readonly id: ProcessId
  readonly status: ProcessStatus
  readonly isCancelRequested: boolean
  /** It is gone, and this is how it had ended. */
  readonly isPruned: boolean
  /** When it is to come up on the worklist; `null`: never. Absent where that is not known. */
  readonly dueAtMs?: number | null
}

export interface Waiter {
  readonly id: ProcessId
  readonly key: string
}

export interface BlobUse {
  readonly hash: string
  readonly isReferenced: boolean
}

export interface DeletedBlobs {
  readonly count: number
  readonly bytes: number
}

/** A transaction that keeps later changes out of the feed, in whatever database of the same server. */
export interface HeldBack {
  readonly kind: 'transaction' | 'prepared_transaction'
  /** The session's process id on the server, or the prepared transaction's name. */
  readonly id: string
  readonly database: string
  readonly forMs: number
}

export interface IdRange {
  readonly after: string
  readonly through?: string
  readonly limit: number
}

/** The lease that a running process's write presents; the saving statement itself compares it. */
export interface LeaseGuard {
  readonly token: LeaseToken
  readonly fence: number
  /** When the lease must be live still. Default: the store's time as it writes. */
  readonly now?: number
}

/**
 * What must still hold in the saving statement. `status` always: a terminal row's outcome never changes. `lease`: for
 * every write that a running process makes.
 */
export interface WriteGuard {
  readonly status: 'running' | 'any'
  readonly lease?: LeaseGuard
}

/** The wakes of one process for one session: delivered in order. */
export interface WakeGroup {
  readonly sessionId: string
  readonly processId: ProcessId
}

export interface OrphanedAttempt {
  readonly processId: ProcessId
  readonly fence: number
  readonly backendToken: string
}
