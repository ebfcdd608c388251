import type { Flow } from '../../model/flow.ts'
import type { LeaseToken, ProcessId } from '../../model/ids.ts'
import type { Json } from '../../model/json.ts'
import type { DeathProof, LeaseOwner } from '../../model/lease.ts'
import type { Outcome, ProcessStatus } from '../../model/outcome.ts'
import type {
  AbandonRequest,
  CancelRequest,
  ExternalRef,
  FirstStarted,
  ProcessRecord,
} from '../../model/process.ts'
import type { WaitState } from '../../model/wait.ts'
import type { JsonText } from './json-text.ts'

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
