import type { ProcessLease } from '../../model/lease.ts'
import type { PendingCall, ToolCallAnswer } from '../../model/pending-call.ts'
import type { ProcessRecord } from '../../model/process.ts'

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
