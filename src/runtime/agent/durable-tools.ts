import type { ToolSet } from 'ai'
import { LeaseholdError } from '../../model/errors.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessContext } from '../context.ts'
import type { ToolTable } from '../plugin.ts'
import { type Tool, type ToolDefinition, toolDefinition } from '../tool.ts'
import type { BodyContext } from '../tool-call.ts'
import { answerCall } from './answer-call.ts'
import { DEFAULT_SAME_CALLS } from './call-guard.ts'
import { type ShownCall, shownResult } from './shown-result.ts'
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
  const execute = async (input: unknown, { toolCallId, messages }: SdkOptions): Promise<Json> => {
    const call = { toolCallId, toolName, args: toWire(input), input, messages }
    const answer = await answerCall(ctx, definition, { call, sameCalls })
    // The SDK tells the model of what is thrown here.
    if (answer.type === 'error') throw answer.error
    return answer.output
  }
  // What the SDK would ask before each call is asked here, durably.
  const { needsApproval: _, ...tool } = definition.tool
  const shown: Tool & { readonly toModelOutput: unknown } = {
    ...tool,
    execute,
    toModelOutput: (call: ShownCall) => shownResult(definition, call),
  }
  return shown
}

/** What of the SDK's options the tool's own `execute` gets from us; the signal is the step's. */
interface SdkOptions {
  readonly toolCallId: string
  readonly messages: readonly never[]
}

function requireBody(ctx: ProcessContext): asserts ctx is BodyContext {
  if ('openCall' in ctx) return
  throw new LeaseholdError(
    'usage',
    'durableTools takes the context that a process was given; this one is another object. Pass ctx itself on.',
  )
}
