import type { Approval, ApprovalCall } from '../model/approval.ts'
import type { BudgetLedger } from '../model/budget.ts'
import type { DrainRequest } from '../model/drain.ts'
import type { ProcessEvent, StoredEvent } from '../model/event.ts'
import type { LiveCounts } from '../model/figures.ts'
import type { Flow } from '../model/flow.ts'
import type { GrantEntry, HandleGrant } from '../model/grant.ts'
import type { ChangeCursor, LeaseToken, ProcessId } from '../model/ids.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { ProcessLease, StoredLease } from '../model/lease.ts'
import type { ProcessListFilter } from '../model/list.ts'
import type { LiveReferences } from '../model/live-references.ts'
import type { StoredWake } from '../model/outbox.ts'
import type { ProcessStatus, TerminalStatus } from '../model/outcome.ts'
import type { PendingCall } from '../model/pending-call.ts'
import type { ProcessRecord, StoredProcess } from '../model/process.ts'
import type { EndedPlace, PruneFilter, Tombstone } from '../model/retention.ts'
import type { Session, SessionEntry, WaitingTurn } from '../model/session.ts'
import type { StreamHead, StreamRow } from '../model/stream.ts'
import type { Trigger, TriggerDelivery, TriggerOccurrence } from '../model/trigger.ts'
import type { WorkerRow } from '../model/worker-row.ts'
import type { HostTransaction } from './host-transaction.ts'

/**
 * The work of one transaction, as a generator. A store whose driver is asynchronous yields its promises and is resumed
 * with what they come to; a synchronous one never yields, so its whole transaction runs without anything else of this
 * OS process coming between, and many can share one commit. The registry is written once for both.
 */
export type Operation<T> = Generator<Promise<unknown>, T, unknown>

export type DurabilityTier = 'inline' | 'durable'

/**
 * What somebody who writes a store provides. It loads, saves and guards; it decides nothing. What is large in the inputs,
 * payloads, values and outcomes that it is given, it keeps once however often it is saved (`model/blob.ts`), and gives
 * back whole.
 */
export interface ProcessStore {
  /** Random, written when the store was made; the same for everybody who opens it. */
  readonly registryId: string
  readonly durabilityTier: DurabilityTier
  /**
   * All or nothing. Resolves only when the commit is durable; an error thrown by the body rolls everything back. The
   * body may run more than once, and only the run that is committed counts: it acts on nothing but `tx`.
   */
  transaction<T>(body: (tx: StoreTransaction) => Operation<T>): Promise<T>
  /**
   * Runs the body inside a transaction of the host's own, on the host's connection: it is committed, or not, with all
   * that the host writes there. What the body throws takes back only what the body wrote. Throws `transaction_required`,
   * and `registry_mismatch` where the connection leads to another registry. Absent: the store has no such connections.
   */
  join?<T>(host: HostTransaction, body: (tx: StoreTransaction) => Operation<T>): Promise<T>
  /** One consistent snapshot of what is committed. */
  read<T>(body: (tx: StoreReader) => Operation<T>): Promise<T>
  /**
   * Calls the listener when something may have been committed, by this OS process or another; it may also be called for
   * nothing. `ids` are the rows that were changed, where the store knows them: they can be read at once, without a look
   * at the feed. A process whose streams have grown is named by `streamOf(id)` (`change-hub.ts`). `changes` say what the
   * feed would, where the store knows that too. `everyMs` bounds the delay where the store has to look for itself.
   * Returns how to stop.
   */
  watch(listener: StoreListener, options: { readonly everyMs: number }): () => void
  /** May be called twice. Work in flight ends first. */
  close(): Promise<void>
}

export type StoreListener = (ids?: readonly ProcessId[], changes?: readonly ProcessChange[]) => void

export interface StoreReader {
  /** The store's clock in milliseconds since the epoch. Lease time is this clock's and nobody else's. */
  now(): Operation<number>
  loadProcess(id: ProcessId): Operation<StoredProcess | undefined>
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
  listJournal(id: ProcessId, epoch: number): Operation<JournalEntry[]>
  loadJournalEntry(id: ProcessId, epoch: number, address: string): Operation<JournalEntry | undefined>
  /** The `once` steps of all epochs, in order of epoch and position. */
  listOnceSteps(id: ProcessId): Operation<JournalEntry[]>
  /** Processes due at `now` or before, the most overdue first. */
  listDue(now: number, limit: number): Operation<StoredProcess[]>
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
