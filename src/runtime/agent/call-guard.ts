import { hashJson, type Json } from '../../model/json.ts'
import { ProcessFailure } from '../process-failure.ts'
import type { AgentState } from './agent-state.ts'

/** How often one tool may be called with the same arguments, unless somebody says otherwise. */
export const DEFAULT_SAME_CALLS = 8

/**
 * Returns the id by which the call's step is known: providers may give one id to several calls. Throws where the same call
 * was made too often: `process_tool_failed` for the model to hear, and after as many again `process_call_repeated`.
 */
export function admitCall(
  state: AgentState,
  call: { readonly toolCallId: string; readonly toolName: string; readonly args: Json },
  limit: number,
): string {
  const { toolCallId, toolName, args } = call
  requireNew(toolName, state.count(`call ${toolName} ${hashJson(args)}`), limit)
  const occurrence = state.count(`tool ${toolName} ${toolCallId}`)
  return occurrence === 1 ? toolCallId : `${toolCallId}.${occurrence}`
}

/** Is what a call threw an answer for the model? Anything else ends the process or its attempt. */
export const isToolFailure = (error: unknown): error is ProcessFailure =>
  error instanceof ProcessFailure && error.code === 'process_tool_failed'

function requireNew(toolName: string, count: number, limit: number): void {
  if (count <= limit) return
  if (count > limit * 2) {
    throw new ProcessFailure(
      'process_call_repeated',
      `The model called tool "${toolName}" ${count} times with the same arguments; the limit is ${limit}, and it was told so.`,
    )
  }
  throw new ProcessFailure(
    'process_tool_failed',
    `Tool "${toolName}" was called with the same arguments ${limit} times already, and was not called again. Use what it said, or do something else.`,
  )
}
