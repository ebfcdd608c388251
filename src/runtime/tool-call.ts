import type { ModelMessage } from 'ai'
import { isLeaseholdError, LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import { fromJson, type Json, toJson } from '../model/json.ts'
import type { PendingCall, ToolCallAnswer } from '../model/pending-call.ts'
import type { Disposition } from '../model/process.ts'
import type { ProcessContext, StepOptions, StepScope } from './context.ts'
import type { ToolTable } from './plugin.ts'
import { ProcessFailure } from './process-failure.ts'
import { PendingAnswer, type ToolCallOptions, type ToolDefinition, toolDefinition } from './tool.ts'

/** What execution gives to this package's own bodies beyond the context that everybody has. */
export interface BodyContext extends ProcessContext<Json> {
  /** Opens a pending call of this process, under its lease. */
  openCall(call: { readonly key: string; readonly untilMs?: number }): Promise<PendingCall>
  /** Waits for the answer, parked if it takes long. `undefined`: none came in time. Journaled. */
  waitForAnswer(key: string, untilMs: number | undefined): Promise<ToolCallAnswer | undefined>
  /** Waits for an event of this process, in memory and without the journal, as the code of a step may. */
  nextOwnEvent(eventType: string, after: number, signal: AbortSignal): Promise<ProcessEvent>
}

/** One call of one tool, by a start or by a model. */
export interface ToolInvocation {
  readonly callId: string
  readonly toolName: string
  readonly args: Json
  readonly prepared?: Json
  readonly messages?: readonly ModelMessage[]
  readonly disposition: Disposition
}

/** By the id that the call recorded, which outlives a new name; else by the name. */
export function findTool(
  tools: ToolTable,
  { toolId, toolName }: { readonly toolId?: string; readonly toolName: string },
): ToolDefinition | undefined {
  const named = Object.hasOwn(tools, toolName) ? tools[toolName] : undefined
  if (toolId === undefined) return named && toolDefinition(named)
  const byId = Object.entries(tools).find(([name, entry]) => (toolDefinition(entry).id ?? name) === toolId)
  return byId && toolDefinition(byId[1])
}

/**
 * Stands in the journal as the member of a step's value that is no result, but says where one comes from. Anything else
 * is the result itself, as the tool returned it or as somebody who knew has resolved the step.
 */
const PENDING = 'leasehold.pending'

interface PendingAt {
  readonly key: string
  readonly untilMs?: number
}

const pendingIn = (said: Json): PendingAt | undefined =>
  typeof said === 'object' && said !== null && PENDING in said
    ? fromJson<PendingAt>(said[PENDING] ?? null)
    : undefined

/**
 * Calls the tool as one step, so that a crash after it does not call it again, and waits for a result that comes later.
 * Throws `ProcessFailure` with `process_tool_failed` where the tool failed; an unknown outcome stays `step_unknown`.
 */
export async function callTool(
  ctx: BodyContext,
  definition: ToolDefinition,
  call: ToolInvocation,
): Promise<Json> {
  let said: Json
  try {
    said = await ctx.step<Json>(call.toolName, scope => execute(ctx, definition, call, scope), {
      ...stepOptions(definition, call.disposition),
      key: call.callId,
    })
  } catch (error) {
    if (!isLeaseholdError(error, 'step_failed')) throw error
    throw toolFailed(call, `failed: ${error.message}`, error)
  }
  const pending = pendingIn(said)
  if (pending === undefined) return said
  const answer = await ctx.waitForAnswer(pending.key, pending.untilMs)
  if (answer?.status === 'success') return answer.value
  throw toolFailed(
    call,
    answer === undefined ? `had no answer under key "${pending.key}" in time` : `failed: ${answer.message}`,
  )
}

/** What the definition says of its step, and what follows from the disposition where it says nothing. */
function stepOptions(
  { effect, retry, timeout, isNotDone, onUnknown }: ToolDefinition,
  disposition: Disposition,
): StepOptions<Json> {
  return {
    effect: effect ?? (disposition === 'rerunnable' ? 'repeatable' : 'once'),
    ...(retry === undefined ? {} : { retry }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(isNotDone === undefined ? {} : { isNotDone }),
    ...(onUnknown === undefined ? {} : { onUnknown }),
  }
}

async function execute(
  ctx: BodyContext,
  { tool }: ToolDefinition,
  call: ToolInvocation,
  { operationId, signal }: StepScope,
): Promise<Json> {
  const run = tool.execute as ((input: Json, options: ToolCallOptions) => unknown) | undefined
  if (run === undefined) throw new Error(`the tool "${call.toolName}" has no execute function`)
  const result = await lastOf(
    run.call(tool, call.args, {
      toolCallId: call.callId,
      // The table of tools is typed for every tool: its messages are those of any.
      messages: [...(call.messages ?? [])] as never[],
      abortSignal: signal,
      context: {},
      processId: ctx.id,
      sessionId: ctx.runtime.sessionId,
      operationId,
      ...(call.prepared === undefined ? {} : { prepared: call.prepared }),
      events: {
        emit: (eventType, payload) => ctx.emit(eventType, payload),
        next: (eventType, { after = 0 } = {}) => ctx.nextOwnEvent(eventType, after, signal),
      },
      pending: async ({ key = operationId, timeout } = {}) => {
        const deadline = timeout === undefined ? {} : { untilMs: Date.now() + timeout }
        const opened = await ctx.openCall({ key, ...deadline })
        return new PendingAnswer(opened.key, opened.untilMs)
      },
    }),
  )
  if (result instanceof PendingAnswer) return { [PENDING]: { ...result } }
  const stored = toJson(result)
  if (stored.ok && pendingIn(stored.json) === undefined) return stored.json
  if (stored.ok) {
    throw new LeaseholdError(
      'step_value_invalid',
      `Tool "${call.toolName}" returned a value with the member "${PENDING}", which is this package's own. To leave the result pending, return what pending() gives.`,
    )
  }
  throw new LeaseholdError(
    'step_value_invalid',
    `Tool "${call.toolName}" returned what JSON cannot carry: ${stored.found} at ${stored.path}.`,
  )
}

/** A tool may tell how far it is before its result: the last value is the result. */
async function lastOf(result: unknown): Promise<unknown> {
  const settled = await result
  if (typeof settled !== 'object' || settled === null || !(Symbol.asyncIterator in settled)) return settled
  let last: unknown
  for await (const value of settled as AsyncIterable<unknown>) last = value
  return last
}

const toolFailed = ({ toolName }: ToolInvocation, what: string, cause?: unknown): ProcessFailure =>
  new ProcessFailure('process_tool_failed', `Tool "${toolName}" ${what}`, { class: 'internal', cause })
