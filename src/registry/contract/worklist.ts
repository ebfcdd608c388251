import type { ChangeCursor } from '../../model/ids.ts'
import type { ExternalRef, StoredProcess } from '../../model/process.ts'
import type { ChangePage } from '../store.ts'

/** What tells whether a row has moved on since it was read. */
export interface SeenProcess {
  readonly attempts: number
  readonly lastSequence: number
}

export interface WorklistOperations {
  /**
   * The rows that need somebody now, the most overdue first. One with a blob that is missing or corrupt is an error, and
   * is put off for ten minutes by that: the next call gives the others.
   */
  dueProcesses(limit: number): Promise<readonly StoredProcess[]>
  /** Those as well whose due time leaves somebody else a moment to come first (`isPending`). */
  pendingProcesses(limit: number): Promise<readonly StoredProcess[]>
  /** The rows that were handed over and have not begun an attempt since (`isNotBegun`), in order of their due times. */
  notBegun(limit: number): Promise<readonly StoredProcess[]>
  /** Milliseconds until the next row is due; absent when none ever will be. */
  msUntilDue(): Promise<number | undefined>
  /** The row was handed to its backend. The due time moves on only if the row is still as it was seen. */
  recordSubmitted(id: string, submission: SeenProcess & { readonly ref: ExternalRef }): Promise<void>
  /** The row could not be handed over, for a reason of its own: it is due again later, with the back-off of a submission. */
  postpone(id: string, seen: SeenProcess): Promise<void>
  /** The processes changed or pruned after the cursor, in order of commit, each once. */
  changesSince(cursor: ChangeCursor, limit: number): Promise<ChangePage>
  latestChange(): Promise<ChangeCursor>
}
