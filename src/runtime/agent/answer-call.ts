import { isLeaseholdError, LeaseholdError } from '../../model/errors.ts'
import type { Json } from '../../model/json.ts'
import type { ToolDefinition } from '../tool.ts'
import { type BodyContext, callTool, type ToolInvocation } from '../tool-call.ts'
import { agentStateOf } from './agent-state.ts'
import { admitCall, isToolFailure } from './call-guard.ts'

/** A call as a model makes it. */
export type AskedCall = Omit<ToolInvocation, 'callId' | 'disposition'> & { readonly toolCallId: string }

/** What a call came to, for the model that made it. */
export type CallAnswer =
  | { readonly type: 'result'; readonly output: Json }
  /** It failed, was refused, or nobody knows: the message says which. */
  | { readonly type: 'error'; readonly error: Error }

/**
 * Makes a call that a model asks for, whoever runs the loop around it. Whatever the call comes to is an answer. What is
 * none ends the process or its attempt, and is thrown to every call that has no answer yet: once those with an effect
 * under way have ended and are journaled. Calls that only wait, for people or for a result from outside, are left.
 */
export async function answerCall(
  ctx: BodyContext,
  definition: ToolDefinition,
  { call, sameCalls }: { readonly call: AskedCall; readonly sameCalls: number },
): Promise<CallAnswer> {
  const state = agentStateOf(ctx)
  const { disposition } = ctx
  const { toolCallId, ...asked } = call
  try {
    const callId = admitCall(state, call, sameCalls)
    const made = callTool(ctx, definition, { ...asked, callId, disposition })
    return { type: 'result', output: await Promise.race([made, state.ended]) }
  } catch (error) {
    const told = toldOf(error)
    if (told !== undefined) return { type: 'error', error: told }
    state.fail(error)
    return state.ended
  }
}

/** The error as the model hears of it; `undefined` where it says nothing of the call. */
function toldOf(error: unknown): Error | undefined {
  if (isToolFailure(error)) return error
  if (!isLeaseholdError(error, 'step_unknown')) return undefined
  return new LeaseholdError(
    'step_unknown',
    `The outcome of this call is unknown: it may have taken effect or not, and it is not made again. Do not take it for done, and do not repeat it; find out first, or tell whoever asked. (${error.message})`,
    { cause: error, details: error.details },
  )
}
