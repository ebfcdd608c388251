import type { ApprovalCall } from '../../model/approval.ts'
import type { BudgetLedger } from '../../model/budget.ts'
import type { DrainRequest } from '../../model/drain.ts'
import type { ProcessEvent, StoredEvent } from '../../model/event.ts'
import type { LiveCounts } from '../../model/figures.ts'
import type { GrantEntry, HandleGrant } from '../../model/grant.ts'
import type { ChangeCursor, ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { ProcessLease, StoredLease } from '../../model/lease.ts'
import type { ProcessListFilter } from '../../model/list.ts'
import type { LiveReferences } from '../../model/live-references.ts'
import type { StoredWake } from '../../model/outbox.ts'
import type { PendingCall } from '../../model/pending-call.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import type { Tombstone } from '../../model/retention.ts'
import type { Session, SessionEntry, WaitingTurn } from '../../model/session.ts'
import type { StepSpan, StreamHead, StreamRow } from '../../model/stream.ts'
import type { Trigger, TriggerDelivery, TriggerOccurrence } from '../../model/trigger.ts'
import type { WorkerRow } from '../../model/worker-row.ts'
import type {
  BlobUse,
  ChangePage,
  EndedQuery,
  EndedRow,
  IdRange,
  OrphanedAttempt,
  QueuedProcess,
  QueuePlace,
  Waiter,
  WakeGroup,
} from './answers.ts'
import type { Operation } from './operation.ts'

export interface StoreReader {
  /** The store's clock in milliseconds since the epoch. Lease time is this clock's and nobody else's. */
  now(): Operation<number>
  /** `likely`: what a store whose database is elsewhere may go on from until it knows. The answer is right all the same. */
  loadProcess(id: ProcessId, likely?: 'absent'): Operation<StoredProcess | undefined>
  /** Rows that fit the filter with an id strictly after `after` and up to `through`, if given, in byte order of their ids. */
  listProcesses(filter: ProcessListFilter, page: IdRange): Operation<ProcessRecord[]>
  /** The greatest of all ids, in byte order; absent where there are no rows. */
  greatestId(): Operation<ProcessId | undefined>
  /** Those of the ids that have a row or a tombstone, in any order. */
  listRegistered(ids: readonly ProcessId[]): Operation<ProcessId[]>
  /** Rows that have not ended, counted by definition and environment, in any order. */
  countLiveReferences(): Operation<LiveReferences[]>
  loadLease(id: ProcessId): Operation<StoredLease | undefined>
  findEvent(id: ProcessId, replayKey: string): Operation<StoredEvent | undefined>
  /** Events with a sequence above `after`, ascending. */
  listEvents(id: ProcessId, after: number, limit: number): Operation<ProcessEvent[]>
  /** The last `limit` events, ascending. */
  listRecentEvents(id: ProcessId, limit: number): Operation<ProcessEvent[]>
  /** How many events of the type there are with a sequence up to `through`. */
  countEvents(id: ProcessId, eventType: string, through: number): Operation<number>
  /** The first event of the type with a sequence above `after`. */
  findEventOfType(id: ProcessId, eventType: string, after: number): Operation<ProcessEvent | undefined>
  /** The lowest signal of this event type that is not consumed. */
  findSignal(id: ProcessId, eventType: string): Operation<ProcessEvent | undefined>
  /** Who has a wait that is found by one of these keys (`awaitedKey`), in any order. */
  listWaiters(keys: readonly string[]): Operation<Waiter[]>
  /** Events with a wake that is not acknowledged and a sequence above `after`, ascending. */
  listWakeEvents(id: ProcessId, after: number, limit: number): Operation<ProcessEvent[]>
  /** The entries of one epoch in order of position. */
  listJournal(id: ProcessId, epoch: number, likely?: 'empty'): Operation<JournalEntry[]>
  loadJournalEntry(id: ProcessId, epoch: number, address: string): Operation<JournalEntry | undefined>
  /** The `once` steps of all epochs, in order of epoch and position. */
  listOnceSteps(id: ProcessId): Operation<JournalEntry[]>
  /** Processes due at `now` or before, the most overdue first. Absent: at the store's own time. */
  listDue(now: number | undefined, limit: number): Operation<StoredProcess[]>
  /** Processes that have a due time and were submitted since their last attempt began, the first due first. */
  listSubmitted(limit: number): Operation<StoredProcess[]>
  /** The earliest due time of all; absent when nothing will ever be due. */
  nextDue(): Operation<number | undefined>
  /** Processes changed or pruned after the cursor in order of commit, each once at its newest position. */
  listChanges(cursor: ChangeCursor, limit: number): Operation<ChangePage>
  latestChange(): Operation<ChangeCursor>
  /** Of one host, or all there are; in byte order of their incarnations. */
  listWorkers(hostId?: string): Operation<WorkerRow[]>
  loadDrain(workerIncarnation: string): Operation<DrainRequest | undefined>
  /** Leases held by attempts of this worker. */
  listLeasesOfWorker(workerIncarnation: string): Operation<ProcessLease[]>
  /** Attempts proven dead on this host whose backend token has not been failed yet. */
  listOrphans(hostId: string): Operation<OrphanedAttempt[]>
  loadWake(wakeId: string): Operation<StoredWake | undefined>
  /** The group's open wakes (`isOpenWake`) in order of sequence: the first is its head. */
  listOpenWakes(group: WakeGroup, limit: number): Operation<StoredWake[]>
  countOpenWakes(group: WakeGroup): Operation<number>
  /** All wakes of a process, in order of sequence. */
  listWakesOf(id: ProcessId, limit: number): Operation<StoredWake[]>
  /** Wakes due at `now` or before, the longest due first. */
  listDueWakes(now: number, limit: number): Operation<StoredWake[]>
  /** Wakes in the hands of this worker, by incarnation, in any order. */
  listWakesClaimedBy(worker: string): Operation<StoredWake[]>
  nextWakeDue(): Operation<number | undefined>
  /** Wakes that hold up their group (`isBlockingWake`) with an id above `after`, in byte order. */
  listBlockedWakes(after: string, limit: number): Operation<StoredWake[]>
  loadGrant(scopeId: string, processId: ProcessId): Operation<HandleGrant | undefined>
  /** The grants of the scope with their processes, in byte order of the ids; if `isLive`, of those that have not ended. */
  listGrants(scopeId: string, options: { readonly isLive: boolean }): Operation<GrantEntry[]>
  /** All grants of the process, in byte order of session and scope. */
  listGrantsOfProcess(id: ProcessId): Operation<HandleGrant[]>
  /** Processes granted to the session or to one of its frames, in any order. */
  listGrantedIds(sessionId: string): Operation<ProcessId[]>
  /** Processes whose wake target is the session or one of its frames, in any order. */
  listWakingIds(sessionId: string): Operation<ProcessId[]>
  loadEnv(ref: string): Operation<Uint8Array | undefined>
  /** Rows of the channel that end above `from`, in order of offset. */
  listStreamRows(id: ProcessId, channel: string, from: number, limit: number): Operation<StreamRow[]>
  /** Where each channel of the process ends, in byte order of their names. */
  listStreamHeads(id: ProcessId): Operation<StreamHead[]>
  /** Rows of the epoch that no step's code has written, resets among them, in order of offset within each channel. */
  listOutsideRows(id: ProcessId, epoch: number): Operation<StreamRow[]>
  /** Rows that steps have written in the last attempt of the epoch with any such row; in the same order. */
  listStepSpans(id: ProcessId, epoch: number): Operation<StepSpan[]>
  loadBudget(id: ProcessId): Operation<BudgetLedger | undefined>
  loadPendingCall(key: string): Operation<PendingCall | undefined>
  /** Approvals without an answer, of processes that have not ended, by the time they were asked for and their key. */
  listOpenApprovals(options: {
    readonly processId?: ProcessId
    readonly limit: number
  }): Operation<ApprovalCall[]>
  loadSession(sessionId: string): Operation<Session | undefined>
  /** Entries with a position above `after`, ascending. */
  listSessionEntries(sessionId: string, after: number, limit: number): Operation<SessionEntry[]>
  /** The turns that wait for the session, in order of position. */
  listWaitingTurns(sessionId: string): Operation<WaitingTurn[]>
  /** Was a session of this id deleted, and none made since? */
  hasSessionTombstone(sessionId: string): Operation<boolean>
  /** The position of the last summary. */
  findLastSummary(sessionId: string): Operation<number | undefined>
  loadTrigger(triggerId: string): Operation<Trigger | undefined>
  /** Those with an id above `after`, in byte order. */
  listTriggers(after: string, limit: number): Operation<Trigger[]>
  /** Those that are on and have events of this name as their source, in byte order of their ids. */
  listTriggersOf(eventName: string): Operation<Trigger[]>
  /** Schedules due at `now` or before, the longest due first. */
  listDueTriggers(now: number, limit: number): Operation<Trigger[]>
  nextTriggerDue(): Operation<number | undefined>
  loadOccurrence(occurrenceId: string): Operation<TriggerOccurrence | undefined>
  loadDelivery(processId: string): Operation<TriggerDelivery | undefined>
  /** Of one occurrence, in byte order of their triggers' ids. */
  listDeliveries(occurrenceId: string): Operation<TriggerDelivery[]>
  /** Deliveries due at `now` or before, the longest due first. */
  listDueDeliveries(now: number, limit: number): Operation<TriggerDelivery[]>
  nextDeliveryDue(): Operation<number | undefined>
  /** Ended processes that fit, those that changed last the longest time ago first. */
  listEnded(query: EndedQuery): Operation<EndedRow[]>
  /** Has the process a wake with a due time? */
  hasDueWake(id: ProcessId): Operation<boolean>
  /** Is there a wait, satisfied or not, that depends on this process (`awaitedProcess`)? */
  isAwaited(id: ProcessId): Operation<boolean>
  loadTombstone(id: ProcessId): Operation<Tombstone | undefined>
  /** Of all rows that have not ended. */
  countLive(): Operation<LiveCounts>
  /** Of all open wakes. */
  earliestWakeExpiry(): Operation<number | undefined>
  /** Live leases that count against the concurrency key, but for this process's. */
  countPlaces(key: string, now: number, except?: ProcessId): Operation<number>
  /**
   * Processes in the queue that come before this place, without those whose turn came before `sinceMs`. No more than
   * `atMost` are counted: of a long queue nobody needs to know how long it is.
   */
  countQueued(queue: string, before: QueuePlace, sinceMs: number, atMost: number): Operation<number>
  /** The first of the queue, in order of `QueuePlace`, not locked; without those whose turn came before `sinceMs`. */
  listQueued(queue: string, sinceMs: number, limit: number): Operation<QueuedProcess[]>
  /** When the next of an evenly spaced row would begin. */
  loadRate(key: string): Operation<number | undefined>
  /** Blobs with a hash above `after`, ascending. */
  listBlobs(after: string, limit: number): Operation<BlobUse[]>
}
