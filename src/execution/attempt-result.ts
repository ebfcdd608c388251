import type { JournalEntry } from '../model/journal.ts'
import type { Outcome } from '../model/outcome.ts'
import type { StoredProcess } from '../model/process.ts'

/** What one attempt came to. */
export type AttemptResult =
  | { readonly type: 'ended'; readonly outcome: Outcome }
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'silent' }
  | { readonly type: 'lost' }
  | { readonly type: 'released' }
  | { readonly type: 'store_failed'; readonly error: unknown; readonly retryInMs?: number }

/** The code has handed its state on, and goes on with this journal. */
export interface RolledOver {
  readonly type: 'rolled_over'
  readonly process: StoredProcess
  readonly journal: readonly JournalEntry[]
}
