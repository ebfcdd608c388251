import type { ModelMessage } from 'ai'
import type { ApprovalRequest, UseRequest } from '../model/approval.ts'
import type { Spending } from '../model/budget.ts'
import { isLeaseholdError, LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import { fromJson, hashJson, type Json, jsonBytes, toJson } from '../model/json.ts'
import type { PendingCall, ToolCallAnswer } from '../model/pending-call.ts'
import type { Disposition } from '../model/process.ts'
import { MAX_PAYLOAD_BYTES } from '../model/registration.ts'
import type { ApprovalUse, ReserveAnswer, ReserveRequest } from '../registry/registry.ts'
import { inChildSpan } from '../telemetry/spans.ts'
import { agentStateOf } from './agent/agent-state.ts'
import { excerptOf } from './agent/excerpt.ts'
import { budgetFailure, settle, withinBudget } from './agent/spending.ts'
import { type ProcessContext, StepNotDone, type StepOptions, type StepScope } from './context.ts'
import type { ToolTable } from './plugin.ts'
import { ProcessFailure } from './process-failure.ts'
import { PendingAnswer, type ToolCallOptions, type ToolDefinition, toolDefinition } from './tool.ts'
import { askApproval, type GivenApproval, requireApproval } from './tool-approval.ts'

/** What execution gives to this package's own bodies beyond the context that everybody has. */
export interface BodyContext extends ProcessContext<Json> {
  /** Opens a pending call of this process, under its lease. */
  openCall(call: { readonly key: string; readonly timeout?: number }): Promise<PendingCall>
  /** Opens an approval of this process, under its lease; one that the journal has an answer to is not looked at again. */
  requestApproval(call: {
    readonly callId: string
    readonly timeout: number | undefined
    readonly approval: ApprovalRequest
  }): Promise<Pick<PendingCall, 'key' | 'untilMs'>>
  useApproval(key: string, use: UseRequest): Promise<ApprovalUse>
  /** Reserves what a call may take, or only opens the budget; see `BudgetOperations`. */
  reserveBudget(operation?: ReserveRequest['operation']): Promise<ReserveAnswer>
  settleBudget(operationId: string, took: Spending): Promise<void>
  /** Waits for the answer, parked if it takes long. `undefined`: none came in time. Journaled. */
  waitForAnswer(key: string, untilMs: number | undefined): Promise<ToolCallAnswer | undefined>
  /** What the process may suffer after a crash. */
  readonly disposition: Disposition
  /** Runs the code; when the signal fires, the OS processes that it has started are ended, with all that they started. */
  endingChildren<T>(signal: AbortSignal, code: () => Promise<T>): Promise<T>
  /** The session that hears of this process and its children; without one, the process's id. */
  readonly family: string
  /** Waits for an event of this process, in memory and without the journal, as the code of a step may. */
  nextOwnEvent(eventType: string, after: number, signal: AbortSignal): Promise<ProcessEvent>
}

/** One call of one tool, by a start or by a model. */
export interface ToolInvocation {
  readonly callId: string
  readonly toolName: string
  readonly args: Json
  /** What the tool gets, where its schema made something of the arguments that JSON does not carry. Default: the arguments. */
  readonly input?: unknown
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
  const asked = await askApproval(ctx, definition, call)
  if (asked.type === 'refused') throw toolFailed(call, `was not called: ${asked.reason}`)
  if (definition.orchestrate !== undefined)
    return orchestrated(ctx, definition.orchestrate, { call, approval: asked.approval })
  const run = (scope: StepScope) =>
    withinBudget(ctx, scope, { asked: ONE_CALL }, async signal => {
      const { operationId } = scope
      // As soon as it is about to be made it is one, whatever becomes of it.
      await settle(ctx, operationId, ONE_CALL)
      if (asked.approval !== undefined) await requireApproval(ctx, asked.approval, operationId)
      const attributes = { 'leasehold.tool': call.toolName, 'leasehold.tool.call.id': call.callId }
      const made = { operationId, signal }
      return inChildSpan('leasehold.tool', attributes, () => execute(ctx, definition, call, made))
    })
  let said: Json
  try {
    const options = {
      ...stepOptions(definition, call.disposition),
      key: call.callId,
      // The id is the model's: another call under the same one is not the call that was journaled.
      input: hashJson(call.args),
    }
    said = await agentStateOf(ctx).during(() => ctx.step<Json>(call.toolName, run, options))
  } catch (error) {
    if (!isLeaseholdError(error, 'step_failed')) throw error
    const exceeded = budgetFailure(error)
    if (exceeded !== undefined) throw exceeded
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

async function orchestrated(
  ctx: BodyContext,
  orchestrate: NonNullable<ToolDefinition['orchestrate']>,
  { call, approval }: { readonly call: ToolInvocation; readonly approval: GivenApproval | undefined },
): Promise<Json> {
  try {
    await countCall(ctx, call)
    // It has no operation of its own: each attempt uses the yes for the same one, which the approval names.
    if (approval !== undefined) await requireApproval(ctx, approval, approval.key)
    return await orchestrate(call.args, { ctx, callId: call.callId, family: ctx.family })
  } catch (error) {
    if (error instanceof StepNotDone) throw toolFailed(call, `was not called: ${error.message}`, error)
    const exceeded = budgetFailure(error)
    if (exceeded !== undefined) throw exceeded
    // The registry's no to one of its calls is journaled, and the model's to hear.
    if (!isLeaseholdError(error, 'step_failed')) throw error
    throw toolFailed(call, `failed: ${error.message}`, error)
  }
}

/** Once, whatever the number of attempts: a step that does nothing else, and is none where nothing is limited. */
async function countCall(ctx: BodyContext, { toolName, callId }: ToolInvocation): Promise<void> {
  if ((await ctx.reserveBudget()).type === 'unlimited') return
  const count = (scope: StepScope) =>
    withinBudget(ctx, scope, { asked: ONE_CALL }, () => settle(ctx, scope.operationId, ONE_CALL))
  await ctx.step(`${toolName} budget`, count, { key: callId })
}

const ONE_CALL = { toolCalls: 1 } as const

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
  const run = tool.execute as ((input: unknown, options: ToolCallOptions) => unknown) | undefined
  if (run === undefined) throw new Error(`the tool "${call.toolName}" has no execute function`)
  const result = await ctx.endingChildren(signal, async () =>
    lastOf(
      run.call(tool, call.input ?? call.args, {
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
          const limit = timeout === undefined ? {} : { timeout }
          const opened = await ctx.openCall({ key, ...limit })
          return new PendingAnswer(opened.key, opened.untilMs)
        },
      }),
    ),
  )
  if (result instanceof PendingAnswer) return { [PENDING]: { ...result } }
  const stored = toJson(result)
  if (stored.ok && pendingIn(stored.json) === undefined) return withinLimit(stored.json)
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

/** What no row can hold is no failure of the tool: it has done what it does. What of its result can be told, is. */
function withinLimit(result: Json): Json {
  const bytes = jsonBytes(result)
  if (bytes <= MAX_PAYLOAD_BYTES) return result
  const text = typeof result === 'string' ? result : JSON.stringify(result)
  return `The call was made, and its result has ${bytes} bytes; no more than ${MAX_PAYLOAD_BYTES} can be kept. ${excerptOf(text, KEPT_OF_TOO_LARGE)}`
}

const KEPT_OF_TOO_LARGE = 1_000_000

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
