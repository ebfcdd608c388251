import type { BegunAttempt } from '../../model/attempt.ts'
import type { ProcessEvent } from '../../model/event.ts'
import type { FirstStartRequest } from '../../model/first-started.ts'
import type { HandleDescriptor } from '../../model/grant.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease } from '../../model/lease.ts'
import type { AbandonRequest, ExternalRef, ProcessRecord } from '../../model/process.ts'
import type { RegistrationRequest, SameIdRule } from '../../model/registration.ts'
import type { SessionScope } from '../../model/session-scope.ts'
import type { HostTransaction } from '../host-transaction.ts'

export interface RowOperations {
  /**
   * Writes durable intent and starts nothing. The same registration again returns the row unchanged; another one under
   * the same id throws `process_registration_conflict`. `sameId` says what "the same" covers; default `whole`. An id
   * whose process was pruned throws `process_no_longer_retained`, unless `reuse` is said.
   */
  register(request: RegistrationRequest, options?: RegisterOptions): Promise<RegisterResult>
  /**
   * `register` inside a transaction of the host's own, so that the process exists if, and only if, what the host writes
   * there does. The same rules and the same answers; what it throws leaves the host's transaction usable. Until the
   * commit nobody else sees the row; with it a running worker is told (see `joinTransaction`) and submits the process at
   * once, or within the second where no notice arrives. An id that another open transaction is registering is waited
   * for, under the host's own `lock_timeout`.
   *
   * `transaction_not_joinable`: the registry is not in PostgreSQL. `transaction_required`: the connection has no
   * transaction, or a failed one. `registry_mismatch`: it leads to another registry.
   */
  registerIn(
    host: HostTransaction,
    request: RegistrationRequest,
    options?: Omit<RegisterOptions, 'isDueAtOnce' | 'journal'>,
  ): Promise<RegisterResult>
  /** Absent for an id that was pruned, as for one that was never registered. */
  get(id: string): Promise<ProcessRecord | undefined>
  /** The same, or `process_no_longer_retained`, or `process_unknown`. */
  requireRecord(id: string): Promise<ProcessRecord>
  /** Write-once: an equal ref again changes nothing, any other throws `process_external_ref_conflict`. */
  setExternalRef(id: string, ref: ExternalRef): Promise<ProcessRecord>
  /** A marker, never a terminal. The first requester stays. Throws `process_abandon_on_terminal`. */
  requestAbandon(id: string, request: Omit<AbandonRequest, 'requestedAtMs'>): Promise<ChangeResult>
  /**
   * Appends the durable cancel event; idempotent for the same reason. Only this event means cancel. `force`: its worker
   * waits for the code no longer than a grace; where nobody holds the process it is a cancel like any other. `from`: the
   * session that asks; what it was not granted is `process_not_visible`. Default: the host.
   */
  requestCancel(
    id: string,
    reason?: string,
    options?: { readonly force?: boolean; readonly from?: SessionScope },
  ): Promise<CancelResult>
  /**
   * For whoever runs the body outside of an attempt; `enterBody` does it for the others. The first start stays: any
   * later one returns the row unchanged.
   */
  recordFirstStarted(id: string, start: FirstStartRequest): Promise<ProcessRecord>
  putEnv(ref: string, bytes: Uint8Array): Promise<void>
  getEnv(ref: string): Promise<Uint8Array | undefined>
}

export interface RegisterOptions {
  /** Default `whole`. */
  readonly sameId?: SameIdRule
  /**
   * The id of a pruned process may be used again, for a new one. Its fences and sequences go on above the old ones, its
   * operation ids are new. Default false. Of no effect where the process is still there.
   */
  readonly reuse?: boolean
  /**
   * The first grant, in the same transaction as the row. Only a new row is granted: a start that is repeated must not
   * bring back what was revoked or transferred meanwhile.
   */
  readonly grant?: { readonly scope: SessionScope; readonly descriptor?: HandleDescriptor }
  /**
   * A start by a running process: the entry is written under its lease in the same transaction, with `{ id, started }` as
   * its value, so that a superseded attempt starts nothing.
   */
  readonly journal?: { readonly lease: ProcessLease; readonly entry: Omit<JournalEntry, 'value'> }
  /**
   * The process is a turn of this session, and waits there for those that were registered before it. Throws
   * `session_unknown` where there is no such session. Of no effect where the process is there already.
   */
  readonly turnOf?: string
  /** With `turnOf`: `refuse` throws `session_busy` where another turn has the session or waits for it. Default `wait`. */
  readonly whenBusy?: 'wait' | 'refuse'
  /** The span that a new process's attempts belong to. Kept with the row, and no part of what is compared. */
  readonly traceparent?: string
  /** Nobody will submit it: it is on the worklist from the beginning. Default: whoever registers submits it at once. */
  readonly isDueAtOnce?: boolean
}

export interface RegisterResult {
  readonly type: 'registered' | 'existing'
  readonly record: ProcessRecord
}

export interface StartResult extends RegisterResult {
  /** Absent: nothing was begun. */
  readonly begun?: BegunAttempt
}

export interface ChangeResult {
  readonly record: ProcessRecord
  /** The write made the row due: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}

export interface CancelResult extends ChangeResult {
  /** Absent where the same cancel was recorded before. */
  readonly event?: ProcessEvent
}
