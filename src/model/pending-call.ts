import type { Approval } from './approval.ts'
import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import { asJson, type Json, jsonEquals } from './json.ts'
import { isTerminal, type ProcessStatus } from './outcome.ts'

/**
 * A tool call whose result comes later, from outside:
 *
 *   (none) ── open, under the lease, before anybody is told the key ──▶ open ── complete ──▶ answered
 *                                                                         └── its deadline passes: no answer is taken
 */
export interface PendingCall {
  /** Unique in the registry: whoever has it may answer. */
  readonly key: string
  readonly processId: ProcessId
  readonly openedAtMs: number
  /** The last moment at which an answer is taken. Absent: any time. */
  readonly untilMs?: number
  readonly answer?: ToolCallAnswer
  readonly answeredAtMs?: number
  /** Of a call that waits for people to allow it: what they are asked, and what they said. */
  readonly approval?: Approval
}

/** What a call came to. */
export type ToolCallAnswer =
  | { readonly status: 'success'; readonly value: Json }
  | { readonly status: 'failure'; readonly message: string }

export const MAX_CALL_KEY_LENGTH = 500

export function requireCallKey(key: string, processId?: string): void {
  const problem =
    key.trim() === ''
      ? 'is blank'
      : key.length > MAX_CALL_KEY_LENGTH
        ? `has ${key.length} characters; the limit is ${MAX_CALL_KEY_LENGTH}`
        : /\p{Cc}/u.test(key) || !key.isWellFormed()
          ? 'holds what is no text'
          : undefined
  if (problem === undefined) return
  throw new LeaseholdError(
    'usage',
    `The key of a pending tool call ${problem}.`,
    processId === undefined ? {} : { processId },
  )
}

/** The same process opens its call again, after a crash or a retry: the first deadline stays, and so does an answer. */
export function decideOpenCall(
  existing: PendingCall | undefined,
  asked: Pick<PendingCall, 'key' | 'processId' | 'untilMs' | 'approval'>,
  now: number,
):
  | { readonly type: 'open'; readonly call: PendingCall }
  | { readonly type: 'existing'; readonly call: PendingCall } {
  if (existing === undefined) return { type: 'open', call: { ...asked, openedAtMs: now } }
  if (existing.processId === asked.processId) return { type: 'existing', call: existing }
  throw new LeaseholdError(
    'tool_call_key_taken',
    `The key "${asked.key}" belongs to a tool call of process "${existing.processId}"; process "${asked.processId}" needs another.`,
    { processId: asked.processId, details: { key: asked.key, takenBy: existing.processId } },
  )
}

export type AnswerDecision =
  | { readonly type: 'answered'; readonly call: PendingCall }
  | { readonly type: 'replayed'; readonly call: PendingCall }

/** The first answer stays. The same one again, from a sender that tries again, changes nothing. */
export function decideAnswer(
  call: PendingCall,
  answer: ToolCallAnswer,
  status: ProcessStatus,
  now: number,
): AnswerDecision {
  const about = { processId: call.processId, details: { key: call.key } }
  if (call.approval !== undefined) {
    throw new LeaseholdError(
      'usage',
      `"${call.key}" is the approval of a call of tool "${call.approval.tool}". People answer it, by name: leasehold approve ${call.processId} ${call.approval.callId} --by WHO.`,
      about,
    )
  }
  if (call.answer !== undefined) {
    if (jsonEquals(asJson(call.answer), asJson(answer))) return { type: 'replayed', call }
    throw new LeaseholdError(
      'tool_call_answered',
      `The tool call "${call.key}" of process "${call.processId}" has another answer already (${call.answer.status}). The first one stays.`,
      about,
    )
  }
  if (isTerminal(status)) {
    throw new LeaseholdError(
      'process_already_terminal',
      `Process "${call.processId}" has ended as ${status}; nobody waits for tool call "${call.key}" any more.`,
      about,
    )
  }
  if (call.untilMs !== undefined && now > call.untilMs) {
    throw new LeaseholdError(
      'tool_call_expired',
      `The tool call "${call.key}" of process "${call.processId}" took answers until ${new Date(call.untilMs).toISOString()}; this one comes later.`,
      about,
    )
  }
  return { type: 'answered', call: { ...call, answer, answeredAtMs: now } }
}

export const unknownCall = (key: string): LeaseholdError =>
  new LeaseholdError(
    'tool_call_unknown',
    `No tool call is pending under the key "${key}" in this registry. Check the key, and that this is the registry it was given out from.`,
    { details: { key } },
  )
