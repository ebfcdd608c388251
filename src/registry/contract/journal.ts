import type { EpochRequest } from '../../model/epoch.ts'
import type { AppendRequest } from '../../model/event.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { AppendResult } from './events.ts'

export interface JournalOperations {
  /** The entries of the process's current epoch, in the order in which they were first written. */
  journal(id: string): Promise<JournalEntry[]>
  /** Writes the entry under the lease, or throws `process_lease_lost`; for the current epoch, or `process_epoch_conflict`. */
  saveJournalEntry(lease: ProcessLease, entry: JournalEntry): Promise<void>
  /**
   * Appends the event and journals it in one transaction, so that neither is without the other. Under a replay key that
   * has its event already, that one is returned, whatever the request says, and nothing is written.
   */
  emit(lease: ProcessLease, entry: Omit<JournalEntry, 'value'>, request: AppendRequest): Promise<EmitResult>
  /**
   * The process rolls over: under the same lease its journal is empty from now on, but for the state. Whoever runs it
   * goes on with `process` and `journal` of the answer, as an attempt does with what `beginAttempt` and `journal` gave
   * it; after a crash the next attempt gets the same from those two, and `carriedState(journal)` is what the code
   * begins with. Nothing is appended to the log, so it reads as if the process had never been cut.
   *
   * All writes of the epoch before must have come to their end: a later one is `process_epoch_conflict`, as is an epoch
   * that is not the next one, or begins with another state. Twice the same is one. `process_rollover_refused`: an
   * owner-bound process. `cancel_requested`: nothing was written, and the process is to end as cancelled.
   */
  startEpoch(lease: ProcessLease, request: EpochRequest): Promise<EpochAnswer>
}

export type EmitResult = Pick<AppendResult, 'type' | 'event'>

export type EpochAnswer =
  | {
      readonly type: 'started' | 'replayed'
      readonly process: StoredProcess
      readonly journal: readonly JournalEntry[]
    }
  | { readonly type: 'cancel_requested' }
