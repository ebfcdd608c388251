import { withoutSecrets } from './secret.ts'

/** Every code that Leasehold throws or writes into a failure, by the door it belongs to. */
export type ErrorCode =
  // registration and rows
  | 'process_unknown'
  | 'process_no_longer_retained'
  | 'process_registration_invalid'
  | 'process_registration_conflict'
  | 'process_external_ref_conflict'
  | 'process_already_terminal'
  | 'process_abandon_on_terminal'
  | 'process_park_refused'
  | 'process_rollover_refused'
  | 'process_epoch_conflict'
  | 'process_wait_on_terminal'
  | 'process_authority_rejected'
  | 'payload_too_large'
  // sessions and their grants
  | 'session_scope_invalid'
  | 'process_handle_not_granted'
  | 'process_not_visible'
  | 'session_unknown'
  | 'session_busy'
  | 'session_closed'
  | 'session_not_open'
  | 'session_conflict'
  // tool calls that are answered later
  | 'tool_call_unknown'
  | 'tool_call_key_taken'
  | 'tool_call_answered'
  | 'tool_call_expired'
  | 'approval_mismatch'
  // leases
  | 'process_lease_lost'
  | 'process_lease_busy'
  | 'lease_timings_invalid'
  | 'worker_unknown'
  | 'host_unknown'
  | 'host_alive'
  // events
  | 'process_event_undeclared'
  | 'process_event_schema'
  | 'process_event_selector'
  | 'process_event_replay_required'
  | 'process_event_replay_conflict'
  | 'process_signal_name_invalid'
  | 'event_sink_failed'
  // wakes
  | 'wake_claim_lost'
  | 'wake_not_blocked'
  // triggers
  | 'trigger_invalid'
  | 'trigger_unknown'
  | 'trigger_occurrence_conflict'
  // starting
  | 'process_kind_unknown'
  | 'process_tool_unknown'
  | 'process_input_invalid'
  | 'disposition_required'
  | 'disposition_not_narrower'
  | 'host_invalid'
  // running
  | 'missing_process_execution_id'
  | 'process_externally_owned'
  | 'process_no_static_scope'
  | 'process_host_profile_mismatch'
  | `durable_store_required:${string}`
  | 'process_runtime_build_failed'
  | 'process_engine_missing'
  | 'process_tool_failed'
  | 'process_budget_exceeded'
  | 'process_call_repeated'
  | 'process_session_create_failed'
  | 'process_session_turn_failed'
  | 'external_process_not_executable'
  | 'process_env_invalid'
  | 'process_env_secret'
  | 'process_env_missing'
  | 'mcp_unreachable'
  | 'process_env_not_found'
  | 'process_env_corrupt'
  | 'process_recovery_failed'
  | 'process_output_invalid'
  | 'process_failed'
  | 'process_cancelled'
  | 'process_attach_ended'
  | 'worker_shutdown'
  | 'attempt_over'
  // steps
  | 'step_failed'
  | 'step_key_required'
  | 'step_diverged'
  | 'step_nested'
  | 'step_name_invalid'
  | 'step_value_invalid'
  | 'step_timed_out'
  | 'step_unknown'
  | 'step_final'
  | 'step_not_found'
  | 'step_in_flight'
  | 'step_resolution_conflict'
  // the store
  | 'registry_locked'
  | 'registry_read_only'
  | 'registry_corrupt'
  | 'blob_missing'
  | 'blob_corrupt'
  | 'registry_newer'
  | 'registry_disk_full'
  | 'registry_unavailable'
  | 'registry_closed'
  | 'registry_mismatch'
  | 'cursor_expired'
  | 'transaction_not_joinable'
  | 'transaction_required'
  // Temporal
  | 'temporal_unreachable'
  | 'temporal_access_denied'
  | 'temporal_namespace_unknown'
  | 'temporal_server_missing'
  | 'temporal_server_failed'
  | 'workflow_id_taken'
  // the command line
  | 'usage'
  | 'output_lost'
  | 'internal'

const MARKER: unique symbol = Symbol.for('leasehold.error')

export interface LeaseholdErrorOptions {
  readonly cause?: unknown
  readonly processId?: string
  /** Further ids and facts that the message names, for programs: hashes, holders, paths. Never a secret or a payload. */
  readonly details?: Readonly<Record<string, string | number | boolean | undefined>>
}

/** The one family of errors: a stable `code`, the ids involved, and a message that says what to do. */
export class LeaseholdError extends Error {
  override readonly name: string = 'LeaseholdError'
  readonly code: ErrorCode
  readonly processId?: string
  readonly details: NonNullable<LeaseholdErrorOptions['details']>
  readonly [MARKER] = true

  constructor(code: ErrorCode, message: string, options: LeaseholdErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    if (options.processId !== undefined) this.processId = options.processId
  }
}

/** By marker, not by class: the workflow sandbox is another realm, and two copies of the package may be loaded. */
export function isLeaseholdError(error: unknown, code?: ErrorCode): error is LeaseholdError {
  return (
    typeof error === 'object' &&
    error !== null &&
    MARKER in error &&
    (code === undefined || (error as LeaseholdError).code === code)
  )
}

/** Errors of a store or a server that may go away by themselves: whoever sees one may try again. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'registry_locked',
  'registry_disk_full',
  'registry_unavailable',
  'temporal_unreachable',
  'mcp_unreachable',
])

export const isTransient = (error: unknown): boolean => isLeaseholdError(error) && TRANSIENT.has(error.code)

/** What an error says, for rows and logs: without what looks like a secret in it. */
export const messageOf = (error: unknown): string =>
  withoutSecrets(error instanceof Error ? error.message : String(error))

export const unknownProcess = (id: string): LeaseholdError =>
  new LeaseholdError(
    'process_unknown',
    `No process "${id}" in this registry. Check the id, and that this is the registry it was started in.`,
    { processId: id },
  )
