import { LeaseholdError } from './errors.ts'
import type { Json } from './json.ts'
import { isTerminal, type ProcessStatus } from './outcome.ts'
import type { PendingCall, ToolCallAnswer } from './pending-call.ts'

/**
 * A tool call that people must allow before it is made: a pending call whose answer is their vote.
 *
 *   asked ── enough say yes ──▶ approved ── the call is about to be made, once ──▶ used
 *     │                            └── somebody says no before that, or it is too old by then ──▶ not made
 *     └── one says no ──▶ denied
 *     └── its deadline passes: no word is taken
 */
export interface ApprovalRequest {
  readonly callId: string
  readonly tool: string
  /** For people to read: the arguments, or an excerpt of them as a text. */
  readonly args: Json
  /** Of the arguments whole: what was approved is this call and no other. */
  readonly argsDigest: string
  readonly sessionId: string
  /** How many people must say yes. */
  readonly approvers: number
  /** How long a yes holds, in milliseconds from the last one needed. Absent: as long as the process lasts. */
  readonly validForMs?: number
}

export interface Approval extends ApprovalRequest {
  readonly votes: readonly ApprovalVote[]
  /** What the yes was used for: the operation that was then begun. */
  readonly used?: { readonly operationId: string; readonly atMs: number }
}

export interface ApprovalVote {
  readonly by: string
  readonly verdict: Verdict
  readonly reason?: string
  readonly atMs: number
}

export type Verdict = 'approve' | 'deny'

export interface VoteRequest {
  readonly by: string
  readonly verdict: Verdict
  readonly reason?: string
  /** The arguments that the voter has seen; others are refused. Default: those of the request. */
  readonly argsDigest?: string
}

/** A pending call that is an approval. */
export type ApprovalCall = PendingCall & { readonly approval: Approval }

export const MAX_APPROVERS = 20
const MAX_WHO_LENGTH = 200
const MAX_REASON_LENGTH = 2_000

const KEY_PREFIX = 'approval:'

/** The key of the pending call that asks for the approval of a step, the same at every attempt. */
export const approvalKeyOf = (operationId: string): string => `${KEY_PREFIX}${operationId}`

export const isApprovalKey = (key: string): boolean => key.startsWith(KEY_PREFIX)

export const isApproval = (call: PendingCall | undefined): call is ApprovalCall =>
  call?.approval !== undefined

export function requireVote({ by, reason = '' }: VoteRequest, key: string): void {
  const problem =
    by.trim() === ''
      ? 'Whoever votes says who they are; "by" is blank'
      : by.length > MAX_WHO_LENGTH || !by.isWellFormed()
        ? `Who votes is named in at most ${MAX_WHO_LENGTH} characters`
        : reason.length > MAX_REASON_LENGTH || !reason.isWellFormed()
          ? `A reason has at most ${MAX_REASON_LENGTH} characters`
          : undefined
  if (problem !== undefined) throw new LeaseholdError('usage', `${problem}.`, { details: { key } })
}

export type VoteDecision =
  | { readonly type: 'voted'; readonly call: ApprovalCall; readonly isSettled: boolean }
  | { readonly type: 'replayed'; readonly call: ApprovalCall }

/**
 * What a vote does. Each person counts once. A no settles the request at once, and takes a yes back that was not used
 * yet; the same word again changes nothing.
 */
export function decideVote(
  call: ApprovalCall,
  vote: VoteRequest,
  status: ProcessStatus,
  now: number,
): VoteDecision {
  const { approval } = call
  if (vote.argsDigest !== undefined && vote.argsDigest !== approval.argsDigest)
    throw refused(call, 'approval_mismatch', 'is for other arguments than those that were looked at')
  const before = approval.votes.find(({ by }) => by === vote.by)
  if (before?.verdict === vote.verdict) return { type: 'replayed', call }
  if (isTerminal(status)) throw refused(call, 'process_already_terminal', `is over: its process is ${status}`)
  if (approval.used !== undefined)
    throw refused(call, 'tool_call_answered', 'was approved, and the call has been made since')
  if (before?.verdict === 'deny' || call.answer?.status === 'failure')
    throw refused(call, 'tool_call_answered', 'was denied; the first no stays')
  if (call.answer !== undefined && vote.verdict === 'approve')
    throw refused(call, 'tool_call_answered', 'has all the approvals that it needs')
  if (call.answer === undefined && call.untilMs !== undefined && now > call.untilMs)
    throw refused(call, 'tool_call_expired', `took answers until ${new Date(call.untilMs).toISOString()}`)
  const votes = [...approval.votes.filter(({ by }) => by !== vote.by), asVote(vote, now)]
  const voted = { ...call, approval: { ...approval, votes } }
  const answer = call.answer === undefined ? answerOf(voted.approval) : undefined
  if (answer === undefined) return { type: 'voted', call: voted, isSettled: false }
  return { type: 'voted', call: { ...voted, answer, answeredAtMs: now }, isSettled: true }
}

const asVote = ({ by, verdict, reason }: VoteRequest, atMs: number): ApprovalVote => ({
  by,
  verdict,
  ...(reason === undefined ? {} : { reason }),
  atMs,
})

/** What the votes come to, as the waiting call hears it. */
function answerOf({ votes, approvers }: Approval): ToolCallAnswer | undefined {
  const no = votes.find(({ verdict }) => verdict === 'deny')
  if (no !== undefined) return { status: 'failure', message: deniedText(no) }
  if (votes.length < approvers) return undefined
  return { status: 'success', value: { approvedBy: votes.map(({ by }) => by) } }
}

const deniedText = ({ by, reason }: ApprovalVote): string =>
  `denied by ${by}${reason === undefined ? '' : `: ${reason}`}`

/** The call that is about to be made: what was allowed is this one. */
export interface UseRequest extends Pick<ApprovalRequest, 'tool' | 'argsDigest' | 'sessionId'> {
  readonly operationId: string
}

export type UseDecision =
  | { readonly type: 'use'; readonly call: ApprovalCall }
  /** For the same operation, by an attempt before. */
  | { readonly type: 'replayed' }
  | { readonly type: 'refused'; readonly reason: string }

/** May the call be made now? Asked at the last moment before it is. */
export function decideUse(call: ApprovalCall, use: UseRequest, now: number): UseDecision {
  const { approval, answer, answeredAtMs = 0 } = call
  const { votes, used, validForMs } = approval
  const other = findOther(approval, use)
  if (other !== undefined) return { type: 'refused', reason: `it was approved for ${other}` }
  if (used !== undefined) {
    if (used.operationId === use.operationId) return { type: 'replayed' }
    return { type: 'refused', reason: 'its approval was used already' }
  }
  const no = votes.find(({ verdict }) => verdict === 'deny')
  if (no !== undefined) return { type: 'refused', reason: `it was ${deniedText(no)}` }
  if (answer?.status !== 'success') return { type: 'refused', reason: 'nobody has approved it' }
  if (validForMs !== undefined && now > answeredAtMs + validForMs) {
    const until = new Date(answeredAtMs + validForMs).toISOString()
    return { type: 'refused', reason: `its approval was good until ${until}` }
  }
  return {
    type: 'use',
    call: { ...call, approval: { ...approval, used: { operationId: use.operationId, atMs: now } } },
  }
}

/** What people were asked about, where it is not this call. */
function findOther(approval: Approval, use: UseRequest): string | undefined {
  if (use.tool !== approval.tool) return 'another tool'
  if (use.argsDigest !== approval.argsDigest) return 'other arguments'
  return use.sessionId === approval.sessionId ? undefined : 'another session'
}

type Refusal =
  | 'approval_mismatch'
  | 'tool_call_answered'
  | 'tool_call_expired'
  | 'process_already_terminal'
  | 'tool_call_unknown'

const refused = (call: ApprovalCall, code: Refusal, what: string): LeaseholdError =>
  new LeaseholdError(
    code,
    `The approval of call "${call.approval.callId}" (${call.approval.tool}) of process "${call.processId}" ${what}. Nothing was changed.`,
    { processId: call.processId, details: { key: call.key, call: call.approval.callId } },
  )
