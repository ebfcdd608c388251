import type { ToolSet } from 'ai'
import { isLeaseholdError, LeaseholdError } from '../../model/errors.ts'
import { hashJson, type Json } from '../../model/json.ts'
import type { ProcessContext } from '../context.ts'
import type { ToolTable } from '../plugin.ts'
import { ProcessFailure } from '../process-failure.ts'
import { type Tool, type ToolDefinition, toolDefinition } from '../tool.ts'
import { type BodyContext, callTool } from '../tool-call.ts'
import { type AgentState, agentStateOf } from './agent-state.ts'
import { DEFAULT_SHOWN_CHARS, excerptOf } from './excerpt.ts'
import { toWire } from './wire.ts'

export interface DurableToolsOptions {
  /**
   * How often one tool may be called with the same arguments. The next such call is not made: the model is told so. One
   * more after as many again ends the process as failed (`process_call_repeated`). Default 8.
   */
  readonly sameCalls?: number
}

/** The tools as the AI SDK takes them: definitions are what they define. */
export type DurableTools<Table extends ToolTable> = ToolTable extends Table
  ? ToolSet
  : { -readonly [Name in keyof Table]: Table[Name] extends ToolDefinition<infer Of> ? Of : Table[Name] }

const DEFAULT_SAME_CALLS = 8

/**
 * The tools, each of whose calls is a journaled step of the process, keyed by the call's id: `generateText`, `streamText`
 * and agents use them as they use any. A call that has ended is not made again after a crash. Whatever a call comes to,
 * the model hears of it: an outcome that nobody knows as just that. Tools without `execute` stay as they are.
 */
export function durableTools<const Table extends ToolTable>(
  ctx: ProcessContext,
  tools: Table,
  options: DurableToolsOptions = {},
): DurableTools<Table> {
  requireBody(ctx)
  const durable = Object.entries(tools).map(([name, entry]) => {
    const definition = toolDefinition(entry)
    const { execute } = definition.tool
    return [name, execute === undefined ? definition.tool : wrapped(ctx, name, definition, options)]
  })
  return Object.fromEntries(durable) as DurableTools<Table>
}

function wrapped(
  ctx: BodyContext,
  toolName: string,
  definition: ToolDefinition,
  { sameCalls = DEFAULT_SAME_CALLS }: DurableToolsOptions,
): Tool {
  const state = agentStateOf(ctx)
  const { disposition } = ctx
  const execute = async (input: unknown, { toolCallId, messages }: SdkOptions): Promise<Json> => {
    const args = toWire(input)
    const repeated = state.count(`call ${toolName} ${hashJson(args)}`)
    try {
      requireNew(toolName, repeated, sameCalls)
      const occurrence = state.count(`tool ${toolName} ${toolCallId}`)
      const callId = occurrence === 1 ? toolCallId : `${toolCallId}.${occurrence}`
      return await callTool(ctx, definition, { callId, toolName, args, input, messages, disposition })
    } catch (error) {
      throw answerOf(state, error)
    }
  }
  // What the SDK would ask before each call is asked here, durably.
  const { needsApproval: _, ...tool } = definition.tool
  const shown: Tool & { readonly toModelOutput: unknown } = {
    ...tool,
    execute,
    toModelOutput: shownBy(definition),
  }
  return shown
}

/** What of the SDK's options the tool's own `execute` gets from us; the signal is the step's. */
interface SdkOptions {
  readonly toolCallId: string
  readonly messages: readonly never[]
}

/**
 * What the SDK is to tell the model. A failed tool and an unknown outcome are answers; what else was thrown says nothing
 * of the call, and is for the next model call to throw.
 */
function answerOf(state: AgentState, error: unknown): unknown {
  const isAnswer = error instanceof ProcessFailure && error.code === 'process_tool_failed'
  if (isAnswer) return error
  if (isLeaseholdError(error, 'step_unknown')) {
    return new LeaseholdError(
      'step_unknown',
      `The outcome of this call is unknown: it may have taken effect or not, and it is not made again. Do not take it for done, and do not repeat it; find out first, or tell whoever asked. (${error.message})`,
      { cause: error, details: error.details },
    )
  }
  state.fail(error)
  return error
}

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

/** As the tool itself tells the model of its result, but no more than it is to be shown; the journal has all of it. */
function shownBy({ tool, shownChars = DEFAULT_SHOWN_CHARS }: ToolDefinition) {
  const own = (tool as { toModelOutput?: (call: { readonly output: unknown }) => unknown }).toModelOutput
  return async (call: { readonly output: unknown }) => {
    if (own !== undefined) return own.call(tool, call)
    const { output } = call
    const text = typeof output === 'string' ? output : JSON.stringify(output ?? null)
    if (text.length > shownChars) return { type: 'text' as const, value: excerptOf(text, shownChars) }
    return typeof output === 'string'
      ? { type: 'text' as const, value: output }
      : { type: 'json' as const, value: output ?? null }
  }
}

function requireBody(ctx: ProcessContext): asserts ctx is BodyContext {
  if ('openCall' in ctx) return
  throw new LeaseholdError(
    'usage',
    'durableTools takes the context that a process was given; this one is another object. Pass ctx itself on.',
  )
}
