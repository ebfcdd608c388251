import type { ProcessEvent } from '../../model/event.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { AppendResult } from './events.ts'
import type { ChangeResult } from './rows.ts'

export interface SignalOperations {
  /**
   * Appends the event `signal.<name>`, which the process must declare. The same `signalId` again is the same signal;
   * default: a UUIDv7. An ended process takes none (`process_already_terminal`).
   */
  signal(id: string, name: string, payload: Json, options?: SignalOptions): Promise<SignalResult>
  /** The lowest signal of the name that was not consumed yet. */
  nextSignal(id: string, name: string): Promise<ProcessEvent | undefined>
  /**
   * Takes the lowest signal of the name that was not consumed yet, and writes the entry with `{ sequence, payload }` as
   * its value: both, under the lease, or neither. An entry that is resolved already, by a signal or otherwise, stays.
   * A signal that came after `untilMs` is left to a later wait.
   */
  consumeSignal(
    lease: ProcessLease,
    entry: Omit<JournalEntry, 'status' | 'value'>,
    wanted: { readonly name: string; readonly untilMs?: number },
  ): Promise<ConsumeAnswer>
}

export interface SignalOptions {
  readonly signalId?: string
  /**
   * Whoever signals submits the process at once, if it is due by that: the sweep steps in only if that fails. Default:
   * the sweep does it.
   */
  readonly isSubmittedBySender?: boolean
}

export interface SignalResult extends AppendResult, ChangeResult {
  /** A parked process was waiting for it: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}

export type ConsumeAnswer =
  | { readonly type: 'resolved'; readonly entry: JournalEntry }
  | { readonly type: 'none' }
