import type { ErrorCode } from '../model/errors.ts'
import type { TerminalStatus } from '../model/outcome.ts'

/** What a script can tell from the exit code alone. 128 + n: interrupted by signal n before the end. */
export const EXIT = {
  done: 0,
  error: 1,
  usage: 2,
  unknownProcess: 3,
  conflict: 4,
  unreachable: 5,
  /** `await`: neither ended nor failed, the time was up. */
  stillRunning: 13,
} as const

/** How `await` ends for each way in which a process ends. */
export const EXIT_OF_OUTCOME = {
  completed: 0,
  failed: 10,
  cancelled: 11,
  abandoned: 12,
} as const satisfies Record<TerminalStatus, number>

const CODES: readonly { readonly exit: number; readonly codes: readonly ErrorCode[] }[] = [
  {
    exit: EXIT.usage,
    codes: [
      'usage',
      'host_invalid',
      'disposition_required',
      'disposition_not_narrower',
      'payload_too_large',
      'process_env_invalid',
      'process_env_secret',
      'process_input_invalid',
      'process_kind_unknown',
      'process_registration_invalid',
      'process_tool_unknown',
      'trigger_invalid',
      'temporal_namespace_unknown',
    ],
  },
  {
    exit: EXIT.unknownProcess,
    codes: ['process_unknown', 'process_no_longer_retained', 'tool_call_unknown', 'session_unknown'],
  },
  {
    exit: EXIT.conflict,
    codes: [
      'process_registration_conflict',
      'process_external_ref_conflict',
      'process_event_replay_conflict',
      'process_already_terminal',
      'session_busy',
      'session_closed',
      'session_not_open',
      'session_conflict',
      'tool_call_answered',
      'approval_mismatch',
      'tool_call_expired',
      'tool_call_key_taken',
      'process_authority_rejected',
      'process_abandon_on_terminal',
      'process_lease_busy',
      'step_in_flight',
      'step_resolution_conflict',
      'wake_not_blocked',
      'trigger_unknown',
      'trigger_occurrence_conflict',
      'worker_unknown',
      'host_unknown',
      'host_alive',
      'workflow_id_taken',
    ],
  },
  {
    exit: EXIT.unreachable,
    codes: [
      'registry_locked',
      'registry_read_only',
      'registry_corrupt',
      'blob_missing',
      'blob_corrupt',
      'registry_newer',
      'registry_disk_full',
      'registry_unavailable',
      'registry_closed',
      'temporal_unreachable',
      'mcp_unreachable',
      'temporal_access_denied',
      'temporal_server_missing',
      'temporal_server_failed',
    ],
  },
]

const BY_CODE = new Map(CODES.flatMap(({ exit, codes }) => codes.map(code => [code, exit] as const)))

export const exitCodeOf = (code: ErrorCode): number => BY_CODE.get(code) ?? EXIT.error
