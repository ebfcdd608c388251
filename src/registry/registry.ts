import type { AttemptEnd, BeginAnswer, BeginAttemptRequest, LeaseCompletion } from '../model/attempt.ts'
import type { CompletionAuthority } from '../model/completion.ts'
import type { DeferReason, DrainReport, DrainRequest } from '../model/drain.ts'
import type { Effect, StepAnswer } from '../model/effect.ts'
import type { EpochRequest } from '../model/epoch.ts'
import type { AppendRequest, ProcessEvent } from '../model/event.ts'
import type { FirstStartRequest } from '../model/first-started.ts'
import type { ForkRequest } from '../model/fork.ts'
import type { GrantEntry, HandleDescriptor, HandleGrant, SessionDeleteReport } from '../model/grant.ts'
import type { ChangeCursor, ProcessId } from '../model/ids.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { ClaimOutcome, DeathEvidence, LeaseOwner, ProcessLease } from '../model/lease.ts'
import type { PageRequest, ProcessListFilter } from '../model/list.ts'
import type { LiveReferences } from '../model/live-references.ts'
import type { DiscardReason, StoredWake, WakeClaim, WakeSettlement } from '../model/outbox.ts'
import type { Outcome } from '../model/outcome.ts'
import type { PendingCall, ToolCallAnswer } from '../model/pending-call.ts'
import type { AbandonRequest, ExternalRef, ProcessRecord, StoredProcess } from '../model/process.ts'
import type { RegistrationRequest, SameIdRule } from '../model/registration.ts'
import type { EndedPlace, KeepReason, PruneRequest, Tombstone } from '../model/retention.ts'
import type {
  CreateSessionDecision,
  Session,
  SessionAppend,
  SessionEntry,
  SessionRequest,
} from '../model/session.ts'
import type { SessionScope } from '../model/session-scope.ts'
import type { Situation } from '../model/situation.ts'
import type { WaitState } from '../model/wait.ts'
import type { WakeDelivery } from '../model/wake.ts'
import type { WorkerRow } from '../model/worker-row.ts'
import type { HostTransaction } from './host-transaction.ts'
import { createAttemptOperations } from './operations/attempts.ts'
import { createBlobOperations } from './operations/blobs.ts'
import { createCompletionOperations } from './operations/completion.ts'
import { createDrainOperations } from './operations/drains.ts'
import { createEffectOperations } from './operations/effects.ts'
import { createEventOperations } from './operations/events.ts'
import { createForkOperations } from './operations/fork.ts'
import { createGrantOperations } from './operations/grants.ts'
import { createJournalOperations } from './operations/journal.ts'
import { createLeaseOperations } from './operations/leases.ts'
import { createListOperations } from './operations/lists.ts'
import { createOutboxOperations } from './operations/outbox.ts'
import { createPendingCallOperations } from './operations/pending-calls.ts'
import { createRetentionOperations } from './operations/retention.ts'
import { createRowOperations } from './operations/rows.ts'
import { createSessionOperations } from './operations/sessions.ts'
import { createSignalOperations } from './operations/signals.ts'
import { createSituationOperations } from './operations/situations.ts'
import { createWaitOperations } from './operations/waits.ts'
import { createWorkerOperations } from './operations/workers.ts'
import { createWorklistOperations } from './operations/worklist.ts'
import type { ChangePage, DeletedBlobs, DurabilityTier, OrphanedAttempt, ProcessStore } from './store.ts'

/**
 * The registry owns the truth about every process. State only: point reads and writes, each one atomic transaction,
 * load → decide → save. It waits for nothing, notifies nobody and runs nothing in the background.
 *
 * Operations addressed by an id that was never registered throw `process_unknown`, and `process_no_longer_retained` if its
 * process was pruned, except where the answer says otherwise.
 */
export interface ProcessRegistry
  extends RowOperations,
    ListOperations,
    GrantOperations,
    WaitOperations,
    EventOperations,
    LeaseOperations,
    AttemptOperations,
    JournalOperations,
    EffectOperations,
    SignalOperations,
    CompletionOperations,
    ForkOperations,
    WorkerOperations,
    DrainOperations,
    WorklistOperations,
    PendingCallOperations,
    SessionOperations,
    OutboxOperations,
    RetentionOperations,
    BlobOperations {
  readonly registryId: string
  readonly durabilityTier: DurabilityTier
  /** See {@link ProcessStore.watch}. */
  watch(listener: (ids?: readonly ProcessId[]) => void, options: { readonly everyMs: number }): () => void
  close(): Promise<void>
}

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
  /** Nobody will submit it: it is on the worklist from the beginning. Default: whoever registers submits it at once. */
  readonly isDueAtOnce?: boolean
}

export interface ListOperations {
  /** One page, ordered by id. With its `next` and `through` as `after` and `through`, the same reading goes on. */
  list(filter?: ProcessListFilter, page?: PageRequest): Promise<ProcessPage>
  /** One page of the rows that have not ended. A row that is so throughout a reading is in exactly one of its pages. */
  listNonTerminal(page?: PageRequest): Promise<ProcessPage>
  /** Those of the ids that never had a row, in the order given: not even one that was pruned. */
  filterUnregistered(ids: readonly string[]): Promise<string[]>
  /** How many processes that have not ended there are of each definition and environment; empty when none are left. */
  liveReferences(): Promise<LiveReferences[]>
}

export interface RegisterResult {
  readonly type: 'registered' | 'existing'
  readonly record: ProcessRecord
}

export interface StartResult extends RegisterResult {
  /** `isEntered`: its body is recorded as entered already. Absent: nothing was begun. */
  readonly begun?: { readonly run: Extract<BeginAnswer, { type: 'run' }>; readonly isEntered: boolean }
}

export interface ProcessPage {
  readonly records: readonly ProcessRecord[]
  /** The last id of this page; absent on the last one. */
  readonly next?: string
  /** The bound of the reading; present with `next`. */
  readonly through?: string
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

/** Who may address a process. Grants are no part of its record: they append no event and change no row. */
export interface GrantOperations {
  /** Grants, or replaces the descriptor of what is granted already. */
  grant(scope: SessionScope, id: string, descriptor?: HandleDescriptor): Promise<HandleGrant>
  /** What is not granted, or not registered, stays so. */
  revoke(scope: SessionScope, id: string): Promise<void>
  /** All of them or none, with their descriptors: one that `from` was not granted is `process_handle_not_granted`. */
  transferGrants(
    ids: readonly string[],
    scopes: { readonly from: SessionScope; readonly to: SessionScope },
  ): Promise<HandleGrant[]>
  /** Exactly the scope's own, of ended processes too, in order of process ids. A session's frames have their own. */
  listGrants(scope: SessionScope): Promise<GrantEntry[]>
  listLiveGrants(scope: SessionScope): Promise<GrantEntry[]>
  hasGrant(scope: SessionScope, id: string): Promise<boolean>
  /** In order of session and scope. */
  grantsForProcess(id: string): Promise<HandleGrant[]>
  /**
   * Takes away all grants of the session and of its frames, and clears the wake target of the rows that would wake it.
   * No process is cancelled or removed.
   */
  deleteSessionState(sessionId: string): Promise<SessionDeleteReport>
}

/** Waits set from outside. A running process parks on its own, under its lease. */
export interface WaitOperations {
  /** Adds the wait, or replaces the one of its key. Throws `process_wait_on_terminal`. */
  setWait(id: string, wait: WaitState): Promise<ProcessRecord>
  /** Takes away the wait of this key, or all of them: the process can go on. Nothing to take away changes nothing. */
  clearWait(id: string, key?: string): Promise<ChangeResult>
}

export interface EventOperations {
  /**
   * See the contract in `decideAppend`. A replay returns the original event. One that ends the process is refused while
   * a lease is live (`process_lease_busy`): its holder emits it.
   */
  append(id: string, request: AppendRequest): Promise<AppendResult>
  /** Events with a sequence above `after` (0: all), ascending. `limit` defaults to 1,000. */
  eventsAfter(id: string, after: number, limit?: number): Promise<ProcessEvent[]>
  /** The first event of the type with a sequence above `after`. */
  findEvent(id: string, eventType: string, after: number): Promise<ProcessEvent | undefined>
  /** The last events, ascending. `limit` defaults to 32. */
  recentEvents(id: string, limit?: number): Promise<ProcessEvent[]>
  /** Events of one type with a sequence up to `through`, itself included. */
  countEventsThrough(id: string, eventType: string, through: number): Promise<number>
  /** Events above `after` that woke somebody and are not acknowledged, ascending. `limit` defaults to 1,000. */
  wakeEventsAfter(id: string, after: number, limit?: number): Promise<ProcessEvent[]>
  /** The wake of this event was taken note of. Idempotent. */
  ackWake(id: string, sequence: number): Promise<void>
}

export interface AppendResult {
  readonly type: 'appended' | 'replayed'
  readonly event: ProcessEvent
  /** What the event's wake says and to whom, where there is somebody to wake. It is in the outbox already. */
  readonly wakeDelivery?: WakeDelivery
}

/** The way of wakes to their sessions. Whoever delivers claims, hands over, and settles; see `model/outbox.ts`. */
export interface OutboxOperations {
  /**
   * Takes the heads of groups that are due, the longest due first, and gives up those whose time is over. `limit`
   * defaults to 32.
   */
  claimWakes(
    limit?: number,
  ): Promise<{ readonly claims: readonly WakeClaim[]; readonly expired: readonly WakeDelivery[] }>
  /** Throws `wake_claim_lost` where another holds the wake by now. */
  settleWake(claim: WakeClaim, settlement: WakeSettlement): Promise<void>
  /** Tries again what holds up a group. Throws `wake_not_blocked` for anything else. */
  redriveWake(wakeId: string): Promise<void>
  /** Sends the process's undelivered wakes of one session to another, in their order. Returns how many. */
  retargetWakes(id: string, fromSessionId: string, to: SessionScope): Promise<number>
  /** The groups that a given-up wake holds up, by its id; `after` is the last one's `wakeId`. */
  blockedGroups(page?: PageRequest): Promise<BlockedGroup[]>
  /** The outbox's rows of one process, in order of sequence. `limit` defaults to 1,000. */
  wakesOf(id: string, limit?: number): Promise<StoredWake[]>
  /** Milliseconds until a wake can be claimed; absent while none can. */
  msUntilWakeDue(): Promise<number | undefined>
}

export interface BlockedGroup {
  readonly sessionId: string
  readonly processId: ProcessId
  /** The one to redrive. */
  readonly wakeId: string
  readonly reason: DiscardReason
  readonly atMs: number
  /** Wakes that stand behind it. */
  readonly waiting: number
}

/** The contract's leases. Execution takes its leases by `beginAttempt`. */
export interface LeaseOperations {
  claim(id: string, owner: LeaseOwner, ttlMs: number): Promise<ClaimOutcome>
  /** For a busy holder proven dead: acquires only if the stored lease still is `observed`. */
  reclaim(
    id: string,
    owner: LeaseOwner,
    observed: ProcessLease,
    options: { readonly ttlMs: number; readonly evidence?: DeathEvidence },
  ): Promise<ClaimOutcome>
  /** Extends exactly the lease presented; throws `process_lease_lost`. */
  renew(lease: ProcessLease, ttlMs: number): Promise<ProcessLease>
  /** Takes a lapsed but unsuperseded lease again, with the same incarnation and the next fence; throws `process_lease_lost`. */
  reacquire(lease: ProcessLease, ttlMs: number): Promise<ProcessLease>
  /** The last holder, possibly expired; absent when released or never claimed. */
  getLease(id: string): Promise<ProcessLease | undefined>
  /** Idempotent; a stale token is silently ignored. The fence is kept. */
  release(completion: LeaseCompletion): Promise<void>
  /** A lease of the registry itself, for work of which one worker at a time should do: the sweep. */
  claimDuty(
    duty: string,
    owner: LeaseOwner,
    options: { readonly ttlMs: number; readonly evidence?: DeathEvidence },
  ): Promise<ClaimOutcome>
}

export interface AttemptOperations {
  beginAttempt(id: string, request: BeginAttemptRequest): Promise<BeginAnswer>
  /**
   * `register`, and the first attempt of a new row begun in the same transaction: for whoever runs at once what it starts.
   * Like `beginAttempt` it does not begin what another profile or an external owner runs; such a row is due.
   */
  registerAndBegin(
    registration: RegistrationRequest,
    request: BeginAttemptRequest,
    options?: Omit<RegisterOptions, 'isDueAtOnce' | 'journal'>,
  ): Promise<StartResult>
  /** All that is known of where the process stands, in one snapshot, for `explain`. */
  situation(id: string): Promise<Situation>
  /** The last holder, for asking the operating system before `beginAttempt`: its liveness, and the names the evidence must bear. */
  lastHolder(
    id: string,
  ): Promise<{ readonly owner: LeaseOwner; readonly evidence: DeathEvidence } | undefined>
  /** Immediately before the body. `refused`: this owner-bound process was started by another attempt. */
  enterBody(lease: ProcessLease, worker: LeaseOwner): Promise<EnterAnswer>
  /** Ends the attempt to wait for something durable. `due`: a wait is satisfied already, or a cancel is recorded; nothing was written. */
  park(lease: ProcessLease, waits: readonly WaitState[]): Promise<ParkAnswer>
  /** Ends the attempt without outcome or wait. A lease that is no longer held is ignored. */
  endAttempt(lease: ProcessLease, end: AttemptEnd): Promise<EndAnswer>
}

/** `dueInMs`: how long the next attempt should be waited with. */
export type EndAnswer = { readonly type: 'ended'; readonly dueInMs: number } | { readonly type: 'not_held' }

export type EnterAnswer = { readonly type: 'entered' } | { readonly type: 'refused' }

export type ParkAnswer = { readonly type: 'parked'; readonly untilMs?: number } | { readonly type: 'due' }

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

/** The ledger of what `once` steps did in the world outside, of all epochs. */
export interface EffectOperations {
  /** In order of epoch and position. */
  effects(id: string): Promise<Effect[]>
  /**
   * Somebody has looked at the destination and says what became of a `once` step whose outcome is unknown: it took
   * effect, with this value, or it did not. A process that waits for that (`onUnknown: 'ask'`) goes on: with the value,
   * or by running the step again. One that was told of the unknown outcome is not changed by it; the ledger is.
   *
   * `step_in_flight`: whoever claimed the step may still begin it. `step_resolution_conflict`: it is known otherwise.
   * `step_not_found`: no such step. The same answer again is replayed.
   */
  resolveStep(id: string, step: string, answer: StepAnswer, options: ResolveOptions): Promise<ResolveResult>
  /** What the current epoch has at this address. */
  journalEntry(id: string, address: string): Promise<JournalEntry | undefined>
}

export interface ResolveOptions {
  /** Who says so; for the record. */
  readonly by: string
  /** Default: the current one. */
  readonly epoch?: number
  /** The incarnation of the worker that claimed the step, if the operating system says that it is dead. */
  readonly deadWorker?: string
}

export interface ResolveResult {
  readonly type: 'resolved' | 'replayed'
  readonly effect: Effect
  /** A parked process was waiting for it: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}

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

/** Tool calls whose result comes later, from outside. See `model/pending-call.ts`. */
export interface PendingCallOperations {
  /**
   * Under the lease, before anybody is told the key: an answer may come from then on. The same process may open its call
   * again and finds it as it is; another one is refused (`tool_call_key_taken`).
   */
  openCall(
    lease: ProcessLease,
    call: { readonly key: string; readonly untilMs?: number },
  ): Promise<PendingCall>
  pendingCall(key: string): Promise<PendingCall | undefined>
  /**
   * Answers the call, and makes its process due if it is parked for that. The same answer again changes nothing. Throws
   * `tool_call_unknown`, `tool_call_answered`, `tool_call_expired` or `process_already_terminal`.
   */
  completeToolCall(key: string, answer: ToolCallAnswer): Promise<CallAnswerResult>
}

export interface CallAnswerResult {
  readonly type: 'answered' | 'replayed'
  /** Of the process whose call it is. */
  readonly record: ProcessRecord
  /** The process was parked for it: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}

/** What was said in sessions, one turn at a time. See `model/session.ts`. */
export interface SessionOperations {
  /** Makes the session, or opens a closed one, for the turn. Throws `session_busy` while another turn has it. */
  createSession(request: SessionRequest): Promise<CreateSessionDecision>
  /**
   * Appends after what the turn has read; the same again changes nothing. Throws `session_unknown`, `session_closed` or
   * `session_conflict`.
   */
  appendToSession(sessionId: string, append: SessionAppend): Promise<{ readonly lastPosition: number }>
  /** `active_path`: from the last summary on, instead of everything. */
  loadSession(
    sessionId: string,
    options?: { readonly residency?: 'keep_all' | 'active_path' },
  ): Promise<LoadedSession | undefined>
  /**
   * Forgets the session and all that was said in it; `false`: there is none. Throws `session_busy` while a turn has it. What
   * it may address and what wakes it is another matter: `deleteSessionState`.
   */
  deleteSession(sessionId: string): Promise<boolean>
  /** Ends the turn's hold on it. Not open, or open for another turn: nothing happens. */
  closeSession(sessionId: string, turnId: string): Promise<void>
}

export interface LoadedSession {
  readonly session: Session
  readonly entries: readonly SessionEntry[]
}

export interface ForkOperations {
  /**
   * Registers a new process with the same work, and with the journal of this one up to the step: it comes to that step
   * without running what came before, and runs on from there. It is due at once. Steps that were taken over keep their
   * operation ids; those that run have new ones. Of the children, it knows those of the part that it took over.
   * `step_not_found`: no such step in the current epoch. The same fork again is the one that exists.
   */
  fork(id: string, request: ForkRequest): Promise<RegisterResult>
}

export interface CompletionOperations {
  /** The worker's door: one transaction checks the lease, appends the terminal event, sets the outcome and frees the lease. */
  completeWithLease(lease: ProcessLease, outcome: Outcome): Promise<ProcessRecord>
  /** The unleased door, for external owners; refused while a lease is live. */
  complete(id: string, outcome: Outcome, authority: CompletionAuthority): Promise<ProcessRecord>
}

/** How workers are told to stop in order, and say what became of what they ran. */
export interface DrainOperations {
  /**
   * Asks the worker of this incarnation to stop. It looks several times a second. The first request stays; one that has been
   * reported on is returned with its report. Throws `worker_unknown`.
   */
  requestDrain(incarnationId: string, requestedBy: string): Promise<DrainRequest>
  drainOf(incarnationId: string): Promise<DrainRequest | undefined>
  /** Kept for a week, where somebody had asked. */
  reportDrain(incarnationId: string, report: DrainReport): Promise<void>
  /**
   * Takes the lease of a process that the worker itself had started and nobody holds, for it to be ended as
   * abandoned(owner_drain); see `decideDrain`. Only `settle` claims.
   */
  beginDrain(
    id: string,
    request: Pick<BeginAttemptRequest, 'worker' | 'attempt' | 'ttlMs'>,
  ): Promise<DrainAnswer>
}

export type DrainAnswer =
  | Extract<BeginAnswer, { readonly type: 'settle' }>
  | { readonly type: 'deferred'; readonly reason: DeferReason }
  | { readonly type: 'not_mine' }

export interface WorkerOperations {
  announceWorker(worker: LeaseOwner): Promise<void>
  /** Workers announced on one host, by `Liveness.hostId`. */
  workersOn(hostId: string): Promise<WorkerRow[]>
  /** All that are announced, in byte order of their incarnations. */
  workers(): Promise<WorkerRow[]>
  removeWorker(incarnationId: string): Promise<void>
  /**
   * Records that the worker is proven dead: all its leases are cleared, their processes made due, its row removed.
   * Returns the attempts whose backend token is still to be failed. Repeating it changes nothing.
   */
  proveWorkerDead(worker: LeaseOwner): Promise<readonly OrphanedAttempt[]>
  /**
   * Somebody says that this host is gone with all its workers: the same, for each of them, with their word in each
   * process's log and in the evidence of what ends by it. Returns the processes. Throws `host_unknown`.
   */
  stateHostDead(hostId: string, statedBy: string): Promise<readonly ProcessId[]>
  /** Attempts proven dead on this host whose backend token has not been failed yet. */
  orphansOn(hostId: string): Promise<DeadAttempt[]>
  /** The token was failed; `isGone`: the backend does not know it any more, so the sweep must submit. */
  settleOrphan(orphan: OrphanedAttempt, options: { readonly isGone: boolean }): Promise<void>
}

/** `retryInMs`: how long the backend should wait with the next attempt; 0 but for a process that fails again and again. */
export interface DeadAttempt extends OrphanedAttempt {
  readonly retryInMs: number
}

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

/** What becomes of processes that nobody needs any more; see `model/retention.ts`. */
export interface RetentionOperations {
  /**
   * One page, in one transaction, of the ended processes that changed last before a time, the oldest first: each is
   * deleted with its log, journal, waits, wakes, grants and lease, and leaves a tombstone, or is kept, with the reason.
   * Running ones are never touched. With `next` as `after` the same pruning goes on; absent, it is done. `limit`
   * defaults to 100. Nobody who waits is told: an ended process has nobody who waits for it.
   */
  prune(
    request: PruneRequest,
    page?: { readonly after?: EndedPlace; readonly limit?: number },
  ): Promise<PrunePage>
  /** The store's clock, by which ages are counted. */
  now(): Promise<number>
  /** What is left of a pruned process. */
  tombstone(id: string): Promise<Tombstone | undefined>
  /**
   * Forgets those pruned before this time, the oldest first, at most `limit` (default 100, at most 1,000), and returns
   * how many. Their ids are unknown from then on; so a repeated start of one does its work again.
   */
  compactTombstones(before: number, limit?: number): Promise<number>
}

export interface PrunePage {
  readonly prunedProcesses: number
  readonly prunedEvents: number
  /** Old enough, and kept. */
  readonly kept: readonly KeptProcess[]
  readonly next?: EndedPlace
}

export interface KeptProcess {
  readonly id: ProcessId
  readonly reason: KeepReason
}

/** Large payloads are kept once for all that hold the same, and as long as a process refers to them (`model/blob.ts`). */
export interface BlobOperations {
  /**
   * Looks at one page of blobs, in order of their hashes, and removes those that no process refers to. With `next` as
   * `after` the same round goes on. `limit`: at most, and by default, 1,000.
   */
  collectBlobs(page?: Pick<PageRequest, 'after' | 'limit'>): Promise<BlobCollection>
}

export interface BlobCollection {
  readonly examined: number
  readonly collected: DeletedBlobs
  /** The last hash of this page; absent on the last one. */
  readonly next?: string
}

/** The one implementation of the registry's semantics, over any store. */
export function createProcessRegistry(store: ProcessStore): ProcessRegistry {
  return {
    registryId: store.registryId,
    durabilityTier: store.durabilityTier,
    ...createRowOperations(store),
    ...createListOperations(store),
    ...createGrantOperations(store),
    ...createWaitOperations(store),
    ...createEventOperations(store),
    ...createLeaseOperations(store),
    ...createAttemptOperations(store),
    ...createSituationOperations(store),
    ...createJournalOperations(store),
    ...createEffectOperations(store),
    ...createSignalOperations(store),
    ...createCompletionOperations(store),
    ...createForkOperations(store),
    ...createWorkerOperations(store),
    ...createDrainOperations(store),
    ...createWorklistOperations(store),
    ...createOutboxOperations(store),
    ...createPendingCallOperations(store),
    ...createSessionOperations(store),
    ...createRetentionOperations(store),
    ...createBlobOperations(store),
    watch: (listener, options) => store.watch(listener, options),
    close: () => store.close(),
  }
}
