import type { ApprovalCall, ApprovalRequest, UseRequest, VoteRequest } from '../../model/approval.ts'
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
  /**
   * Under the lease: opens a call that people have to allow, and says so in the process's log. Asked for again, it is as
   * it was.
   */
  requestApproval(
    lease: ProcessLease,
    call: { readonly key: string; readonly untilMs?: number; readonly approval: ApprovalRequest },
  ): Promise<ApprovalCall>
  /** Approvals that wait for somebody, the longest waiting first. Default: of all processes, at most 100. */
  openApprovals(options?: { readonly processId?: string; readonly limit?: number }): Promise<ApprovalCall[]>
  /**
   * One person's word, which stands in the process's log. Throws `tool_call_unknown`, `tool_call_answered`,
   * `tool_call_expired`, `approval_mismatch` or `process_already_terminal`.
   */
  vote(key: string, vote: VoteRequest): Promise<CallAnswerResult>
  /** Under the lease, right before the call is made: may it be? A yes is used up by the operation it is given to. */
  useApproval(lease: ProcessLease, key: string, use: UseRequest): Promise<ApprovalUse>
}

export type ApprovalUse = { readonly type: 'granted' } | { readonly type: 'refused'; readonly reason: string }

export interface CallAnswerResult {
  readonly type: 'answered' | 'replayed'
  /** Of the process whose call it is. */
  readonly record: ProcessRecord
  /** The process was parked for it: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}
