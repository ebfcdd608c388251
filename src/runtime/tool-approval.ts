import type { UseRequest } from '../model/approval.ts'
import { hashJson, type Json } from '../model/json.ts'
import { excerptOf } from './agent/excerpt.ts'
import { StepNotDone } from './context.ts'
import type { ApprovalRule, ToolDefinition } from './tool.ts'
import type { BodyContext, ToolInvocation } from './tool-call.ts'

/** A call that was allowed, and what shows it. */
export interface GivenApproval extends Omit<UseRequest, 'operationId'> {
  readonly key: string
}

export type ApprovalAnswer =
  | { readonly type: 'given'; readonly approval: GivenApproval | undefined }
  | { readonly type: 'refused'; readonly reason: string }

/** What people are shown of the arguments, in characters of JSON. */
const SHOWN_ARGS = 8_000

/** Asks people for the call, if its tool wants that, and waits for them, parked if it takes long. */
export async function askApproval(
  ctx: BodyContext,
  definition: ToolDefinition,
  call: ToolInvocation,
): Promise<ApprovalAnswer> {
  const rule = await ruleOf(ctx, definition, call)
  if (rule === undefined) return { type: 'given', approval: undefined }
  const { callId, toolName, args } = call
  const argsDigest = hashJson(args)
  const { sessionId } = ctx.runtime
  const { key, untilMs } = await ctx.requestApproval({
    callId,
    timeout: rule.timeout,
    approval: {
      callId,
      tool: toolName,
      args: shown(args),
      argsDigest,
      sessionId,
      approvers: rule.approvers ?? 1,
      ...(rule.validFor === undefined ? {} : { validForMs: rule.validFor }),
    },
  })
  const answer = await ctx.waitForAnswer(key, untilMs)
  if (answer === undefined) return { type: 'refused', reason: 'nobody approved it in time' }
  if (answer.status === 'failure') return { type: 'refused', reason: answer.message }
  return { type: 'given', approval: { key, tool: toolName, argsDigest, sessionId } }
}

/** At the last moment before the effect: a yes may have been taken back, or be too old. */
export async function requireApproval(
  ctx: BodyContext,
  { key, ...call }: GivenApproval,
  operationId: string,
): Promise<void> {
  const use = await ctx.useApproval(key, { operationId, ...call })
  if (use.type === 'refused') throw new StepNotDone(`it was not made, because ${use.reason}`)
}

/** What a function says of the call is journaled: a later attempt must not ask for what is done. */
async function ruleOf(
  ctx: BodyContext,
  { approval, tool }: ToolDefinition,
  { callId, toolName, args, input, messages = [] }: ToolInvocation,
): Promise<ApprovalRule | undefined> {
  if (typeof approval === 'object') return approval
  const { needsApproval } = tool
  if (approval === undefined && typeof needsApproval !== 'function')
    return needsApproval === true ? {} : undefined
  const said = await ctx.step(
    `${toolName} approval`,
    async () => {
      if (approval !== undefined) return (await approval((input ?? args) as never)) ?? null
      const options = { toolCallId: callId, messages: [...messages] as never[], context: {} }
      const isNeeded =
        typeof needsApproval === 'function' && (await needsApproval((input ?? args) as never, options))
      return isNeeded ? {} : null
    },
    { key: callId },
  )
  return said ?? undefined
}

function shown(args: Json): Json {
  const text = JSON.stringify(args)
  return text.length <= SHOWN_ARGS ? args : excerptOf(text, SHOWN_ARGS)
}
