import type { Approval, ApprovalCall } from '../../model/approval.ts'
import type { BudgetLedger } from '../../model/budget.ts'
import type { DrainRequest } from '../../model/drain.ts'
import type { StoredEvent } from '../../model/event.ts'
import type { HandleGrant } from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { StoredLease } from '../../model/lease.ts'
import type { StoredWake } from '../../model/outbox.ts'
import type { PendingCall } from '../../model/pending-call.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { Tombstone } from '../../model/retention.ts'
import type { Session, SessionEntry, WaitingTurn } from '../../model/session.ts'
import type { StreamRow } from '../../model/stream.ts'
import type { Trigger, TriggerDelivery, TriggerOccurrence } from '../../model/trigger.ts'
import type { WorkerRow } from '../../model/worker-row.ts'
import type { DeletedBlobs, LeaseGuard, WriteGuard } from './answers.ts'
import type { Operation } from './operation.ts'
import type { StoreReader } from './reader.ts'

export interface StoreTransaction extends StoreReader {
  /** Refuses an existing id by the primary key. */
  insertProcess(process: StoredProcess): Operation<void>
  /**
   * Saves the mutable part of the row, its waits included, at a new change position; with a guard, only while that
   * lease is current and live. `false`: the guard refused, nothing was written.
   */
  saveProcess(process: StoredProcess, guard: WriteGuard): Operation<boolean>
  /** Sets the due time alone: no change of the record, so no new change position. */
  saveDue(id: ProcessId, dueAtMs: number | undefined): Operation<void>
  insertEvent(stored: StoredEvent): Operation<void>
  /** From now on `findSignal` passes over it. */
  consumeSignal(id: ProcessId, sequence: number): Operation<void>
  /** From now on `listWakeEvents` leaves this event out. */
  ackWake(id: ProcessId, sequence: number): Operation<void>
  /** Replaces what is stored, if its fence is still `expectedFence` (0: nothing stored). `false`: it is not. */
  saveLease(id: ProcessId, lease: StoredLease, expectedFence: number): Operation<boolean>
  /**
   * Writes the entry, new or not, while the lease is current and live, the entry's epoch is its process's, and what
   * stands in its place may be replaced (`mayReplace`). `false`: one of them is not so.
   */
  saveJournalEntry(entry: JournalEntry, guard: LeaseGuard): Operation<boolean>
  /** Replaces an entry whose outcome is unknown and was not resolved. `false`: there is none such. */
  saveResolution(entry: JournalEntry): Operation<boolean>
  /** Removes the epoch's entries of what may run again, and so need not be remembered. */
  deleteRepeatable(id: ProcessId, epoch: number): Operation<void>
  saveWorker(row: WorkerRow): Operation<void>
  deleteWorker(incarnationId: string): Operation<void>
  /** Replaces the request to the same worker. */
  saveDrain(request: DrainRequest): Operation<void>
  /** Those made before that time. */
  deleteDrains(beforeMs: number): Operation<void>
  /** `false`: there is a wake of this id already, and it stays as it is. */
  insertWake(wake: StoredWake): Operation<boolean>
  /** Replaces what is stored, if that still has the expected version. `false`: it has not. */
  saveWake(wake: StoredWake, expectedVersion: number): Operation<boolean>
  /** Replaces the grant of the same scope and process. Gone with the process's row. */
  saveGrant(grant: HandleGrant): Operation<void>
  deleteGrant(scopeId: string, processId: ProcessId): Operation<void>
  /** Until this transaction ends nobody else has the queue's lock, so that what is counted stays true. */
  lockQueue(queue: string): Operation<void>
  /** Under the lock of the rate's queue. */
  saveRate(key: string, nextMs: number): Operation<void>
  /** Those with a time before this one, which say nothing any more. */
  deleteRates(beforeMs: number): Operation<void>
  /** Content-addressed: an existing ref stays as it is. */
  insertEnv(ref: string, bytes: Uint8Array): Operation<void>
  /** While the lease is current and live, and the key is free. `false`: it is not, and nothing was written. Gone with the process's row. */
  insertPendingCall(call: PendingCall, guard: LeaseGuard): Operation<boolean>
  /** Writes the answer alone. `false`: the call has one already. */
  saveAnswer(call: PendingCall): Operation<boolean>
  /** Replaces what is stored, if that is still `expected` (absent: nothing stored). `false`: it is not. Gone with the process's row. */
  saveBudget(ledger: BudgetLedger, expected: BudgetLedger | undefined): Operation<boolean>
  /** Writes the approval and the answer. `false`: the approval that stands there is not `expected`. */
  saveApproval(call: ApprovalCall, expected: Approval): Operation<boolean>
  /**
   * While the lease is current and live, and the channel ends where the row begins. `false`: one of them is not so. Gone
   * with the process's row.
   */
  insertStreamRow(row: StreamRow, guard: LeaseGuard): Operation<boolean>
  /** `false`: there is a session of this id. */
  insertSession(session: Session): Operation<boolean>
  /** Saves the mutable part, if what is stored still has the expected version. `false`: it has not. */
  saveSession(session: Session, expectedVersion: number): Operation<boolean>
  /** Refuses a taken position by the primary key. */
  insertSessionEntry(sessionId: string, entry: SessionEntry): Operation<void>
  /** With its entries and the turns that wait for it. */
  deleteSession(sessionId: string): Operation<void>
  /** Refuses a taken position by the primary key. */
  insertWaitingTurn(sessionId: string, turn: WaitingTurn): Operation<void>
  deleteWaitingTurn(sessionId: string, position: number): Operation<void>
  insertSessionTombstone(sessionId: string, deletedAtMs: number): Operation<void>
  deleteSessionTombstone(sessionId: string): Operation<void>
  /** Those made before this time. */
  deleteSessionTombstones(before: number): Operation<void>
  /**
   * Deletes an ended process with everything of it: log, streams, journal, waits, pending calls, wakes, grants, lease.
   * Returns how many events went. `undefined`: it has not ended or is not there, and nothing was deleted.
   */
  deleteProcess(id: ProcessId): Operation<number | undefined>
  /** `false`: there is a trigger of this id. */
  insertTrigger(trigger: Trigger): Operation<boolean>
  /** Replaces what is stored, if that is of the same incarnation and has the expected version. `false`: it is not. */
  saveTrigger(trigger: Trigger, expectedVersion: number): Operation<boolean>
  /** `false`: there is none. */
  deleteTrigger(triggerId: string): Operation<boolean>
  /** `false`: there is an occurrence of this id. */
  insertOccurrence(occurrence: TriggerOccurrence): Operation<boolean>
  /** Refuses an existing process id by the primary key. */
  insertDelivery(delivery: TriggerDelivery): Operation<void>
  /** Replaces what is stored, if that still has the expected version. `false`: it has not. */
  saveDelivery(delivery: TriggerDelivery, expectedVersion: number): Operation<boolean>
  deleteDelivery(processId: string): Operation<void>
  /** Those before this time of which no delivery is left but such as have failed, with these. */
  deleteOccurrences(before: number): Operation<void>
  /** At a new change position. */
  insertTombstone(tombstone: Tombstone): Operation<void>
  deleteTombstone(id: ProcessId): Operation<void>
  /** The oldest of those pruned before this time, at most `limit`. Returns how many. */
  deleteTombstones(before: number, limit: number): Operation<number>
  /**
   * Deletes those of them that no process refers to, whatever was so when they were listed. One that a transaction still
   * running is about to refer to stays.
   */
  deleteBlobs(hashes: readonly string[]): Operation<DeletedBlobs>
}
