import type { Approval } from '../../model/approval.ts'
import type { BudgetLedger } from '../../model/budget.ts'
import type { DrainReport } from '../../model/drain.ts'
import type { MaterializedSemantics } from '../../model/event-semantics.ts'
import type { Flow } from '../../model/flow.ts'
import type { LeaseToken, ProcessId } from '../../model/ids.ts'
import type { JournalEntry, StepFailure, StepResolution } from '../../model/journal.ts'
import type { Json } from '../../model/json.ts'
import type { DeathProof, LeaseOwner } from '../../model/lease.ts'
import type { DiscardReason, StoredWake } from '../../model/outbox.ts'
import type { Outcome, ProcessStatus, TerminalStatus } from '../../model/outcome.ts'
import type { ToolCallAnswer } from '../../model/pending-call.ts'
import type {
  AbandonRequest,
  CancelRequest,
  ExternalRef,
  FirstStarted,
  ProcessRecord,
} from '../../model/process.ts'
import type { CausalRef } from '../../model/provenance.ts'
import type { StreamContent } from '../../model/stream.ts'
import type { WaitState } from '../../model/wait.ts'
import type { WakeDelivery } from '../../model/wake.ts'
import type { BlobRow, JournalBlobRow, ProcessBlobRow, SessionBlobRow } from './blob-tables.ts'
import type { JsonText } from './json-text.ts'
import type { SessionEntryRow, SessionRow, SessionTombstoneRow, WaitingTurnRow } from './session-tables.ts'
import type { TriggerDeliveryRow, TriggerOccurrenceRow, TriggerRow } from './trigger-tables.ts'

/** The tables as the query builder sees them. The migrations make them; a test holds the two together. */
export interface Schema {
  readonly meta: MetaRow
  readonly processes: ProcessRow
  readonly waits: WaitRow
  readonly leases: LeaseRow
  readonly events: EventRow
  readonly journal: JournalRow
  readonly workers: WorkerTableRow
  readonly drains: DrainRow
  readonly wakes: WakeRow
  readonly envs: EnvRow
  readonly grants: GrantRow
  readonly pending_calls: PendingCallRow
  readonly budgets: BudgetRow
  readonly sessions: SessionRow
  readonly session_entries: SessionEntryRow
  readonly waiting_turns: WaitingTurnRow
  readonly session_tombstones: SessionTombstoneRow
  readonly triggers: TriggerRow
  readonly trigger_occurrences: TriggerOccurrenceRow
  readonly trigger_deliveries: TriggerDeliveryRow
  readonly tombstones: TombstoneRow
  readonly stream_rows: StreamTableRow
  readonly blobs: BlobRow
  readonly process_blobs: ProcessBlobRow
  readonly journal_blobs: JournalBlobRow
  readonly session_blobs: SessionBlobRow
  readonly rates: RateRow
}

/** One row. */
export interface MetaRow {
  readonly singleton: number
  readonly schema_version: number
  readonly registry_id: string
  /** SQLite's: the last change position given. It outlives the rows, so that a position is never given twice. */
  readonly change_seq: number
  /** PostgreSQL's: which database of which cluster the positions belong to. Another one means: restored from a dump. */
  readonly home: string
  /** PostgreSQL's: how often that has happened. By hand it may only grow. */
  readonly restores: number
}

/** Set when the process is registered and never again. */
export interface RegistrationColumns {
  readonly id: ProcessId
  readonly kind: string
  readonly label: string | null
  /** Canonical, so that equal definitions are equal texts. SQL's null is none; the JSON value null is the text "null". */
  readonly definition: JsonText<Json> | null
  readonly disposition: ProcessRecord['disposition']
  readonly input: JsonText<ProcessRecord['input']>
  readonly event_types: JsonText<ProcessRecord['eventTypes']>
  readonly provenance: JsonText<ProcessRecord['provenance']>
  /** Of the provenance, for the lists: so are the two of the trigger. */
  readonly originator_scope: string
  readonly occurrence_id: string | null
  readonly subscription_id: string | null
  readonly env_ref: string | null
  readonly max_attempts: number | null
  readonly flow: JsonText<Flow> | null
  /** Of the flow, for the order of the queues. */
  readonly priority: number | null
  readonly registration_hash: string
  readonly incarnation: string
  readonly created_at: number
  readonly traceparent: string | null
}

export interface MutableColumns {
  readonly updated_at: number
  readonly status: ProcessStatus
  readonly outcome: JsonText<Outcome> | null
  readonly external_ref: JsonText<ExternalRef> | null
  readonly wake_target: JsonText<NonNullable<ProcessRecord['wakeTarget']>> | null
  /** The wake target's session: its deletion finds the rows by it. */
  readonly wake_session: string | null
  readonly first_started: JsonText<FirstStarted> | null
  readonly cancel_request: JsonText<CancelRequest> | null
  readonly abandon_request: JsonText<AbandonRequest> | null
  /** Most rows wait for nothing: 0 spares the query for their waits. */
  readonly wait_count: number
  readonly silent_since: number | null
  /** The queue that it stands in; the next two belong to it. */
  readonly turn: string | null
  readonly turn_since: number | null
  /** When its turn is, once it was told. */
  readonly turn_at: number | null
  readonly attempts: number
  readonly last_sequence: number
  readonly change_seq: number
  readonly due_at: number | null
  readonly submissions: number
  readonly failures: number
  readonly attempts_spent: number
  readonly is_attempt_open: number
  readonly is_run_waiting: number
  readonly epoch: number
}

export interface ProcessRow extends RegistrationColumns, MutableColumns {}

export interface WaitRow {
  readonly process_id: ProcessId
  readonly key: string
  readonly position: number
  readonly since: number
  readonly until: number | null
  readonly on: JsonText<WaitState['on']>
  /** What a write that satisfies it finds it by, while it is not satisfied. */
  readonly awaited: string | null
  /** The process that the wait depends on, satisfied or not: it is not pruned meanwhile. */
  readonly awaited_process: string | null
  readonly satisfied_at: number | null
}

/** No row of `processes` need exist: ids that begin with "#" are leases of the registry itself. */
export interface LeaseRow {
  readonly process_id: ProcessId
  /** The holder's fencing token; stays when it is gone. */
  readonly fence: number
  /** The four of the holder are null together: nobody holds it. */
  readonly owner: JsonText<LeaseOwner> | null
  readonly token: LeaseToken | null
  readonly claimed_at: number | null
  readonly expires_at: number | null
  readonly worker_incarnation: string | null
  readonly backend_token: string | null
  readonly death_proof: JsonText<DeathProof> | null
  /** The dead owner's host, where it is known: orphans are found by it. */
  readonly dead_host_id: string | null
  /** The concurrency key that the holder counts against. */
  readonly place: string | null
}

export interface EventRow {
  readonly process_id: ProcessId
  readonly sequence: number
  readonly event_type: string
  readonly payload: JsonText<Json>
  readonly session_id: string
  readonly caused_by: JsonText<CausalRef>
  readonly replay_key: string | null
  readonly payload_hash: string
  readonly occurred_at: number
  readonly semantics: JsonText<MaterializedSemantics> | null
  /** 1 for a wake that is not acknowledged. Null else, so that its index holds no more than those. */
  readonly unacked_wake: 1 | null
  /** 1 for a signal that no wait has taken. Null else. */
  readonly unconsumed_signal: 1 | null
}

export interface JournalRow {
  readonly process_id: ProcessId
  readonly epoch: number
  readonly address: string
  readonly position: number
  readonly kind: JournalEntry['kind']
  readonly effect: JournalEntry['effect']
  readonly digest: string
  readonly status: JournalEntry['status']
  readonly operation_id: string
  /** SQL's null is no value; the JSON value null is the text "null". */
  readonly value: JsonText<Json> | null
  readonly failure: JsonText<StepFailure> | null
  readonly attempt: string
  readonly fence: number
  readonly claimed_by: JsonText<LeaseOwner> | null
  readonly start_by: number | null
  readonly started_at: number
  readonly ended_at: number | null
  /** 1 where the code has been told that the outcome is unknown. Null else. */
  readonly is_told: 1 | null
  readonly resolution: JsonText<StepResolution> | null
}

export interface WorkerTableRow {
  readonly incarnation_id: string
  /** Null where the worker's host is not known. */
  readonly host_id: string | null
  readonly worker: JsonText<LeaseOwner>
  readonly started_at: number
  readonly last_seen: number
}

/** Outlives the worker's own row, for its report to be read. */
export interface DrainRow {
  readonly worker_incarnation: string
  readonly worker: JsonText<LeaseOwner>
  readonly requested_by: string
  readonly requested_at: number
  readonly report: JsonText<DrainReport> | null
}

export interface WakeRow {
  readonly wake_id: string
  readonly target_session: string
  readonly process_id: ProcessId
  readonly sequence: number
  readonly delivery: JsonText<WakeDelivery>
  readonly status: StoredWake['status']
  readonly version: number
  readonly attempts: number
  readonly due_at: number | null
  readonly expires_at: number
  readonly claim_token: string | null
  /** The claiming worker's incarnation, where it is one. */
  readonly claimed_by: string | null
  readonly discard_reason: DiscardReason | null
  readonly discarded_at: number | null
  /** 1 while it stands before the later ones of its group. Null else, so that the index holds no settled ones. */
  readonly is_open: 1 | null
  /** 1 where it was given up and holds up its group. */
  readonly is_blocking: 1 | null
}

export interface EnvRow {
  readonly ref: string
  readonly bytes: Uint8Array
}

export interface BudgetRow {
  readonly process_id: ProcessId
  readonly ledger: JsonText<BudgetLedger>
}

export interface PendingCallRow {
  readonly key: string
  readonly process_id: ProcessId
  readonly opened_at: number
  readonly until: number | null
  readonly answer: JsonText<ToolCallAnswer> | null
  readonly answered_at: number | null
  readonly approval: JsonText<Approval> | null
}

/** The descriptor's two are null where it does not say. */
export interface GrantRow {
  readonly scope_id: string
  readonly process_id: ProcessId
  readonly session_id: string
  readonly kind: string | null
  readonly label: string | null
}

export interface TombstoneRow {
  readonly id: ProcessId
  readonly status: TerminalStatus
  readonly pruned_at: number
  readonly fence: number
  readonly last_sequence: number
  readonly change_seq: number
}

export interface StreamTableRow {
  readonly process_id: ProcessId
  readonly channel: string
  readonly to_offset: number
  readonly from_offset: number
  readonly epoch: number
  readonly attempt: number
  readonly fence: number
  readonly step: string | null
  readonly content: JsonText<StreamContent>
  readonly written_at: number
}

export interface RateRow {
  readonly key: string
  /** In milliseconds, with a fraction: when the next of an evenly spaced row would begin. */
  readonly next_at: number
}
