import type { Approval } from '../../model/approval.ts'
import type { BudgetLedger } from '../../model/budget.ts'
import type { DrainReport } from '../../model/drain.ts'
import type { MaterializedSemantics } from '../../model/event-semantics.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry, StepFailure, StepResolution } from '../../model/journal.ts'
import type { Json } from '../../model/json.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import type { DiscardReason, StoredWake } from '../../model/outbox.ts'
import type { TerminalStatus } from '../../model/outcome.ts'
import type { ToolCallAnswer } from '../../model/pending-call.ts'
import type { CausalRef } from '../../model/provenance.ts'
import type { StreamContent } from '../../model/stream.ts'
import type { WakeDelivery } from '../../model/wake.ts'
import type { BlobRow, JournalBlobRow, ProcessBlobRow, SessionBlobRow } from './blob-tables.ts'
import type { JsonText } from './json-text.ts'
import type { LeaseRow, ProcessRow, WaitRow } from './process-tables.ts'
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
