import { LeaseholdError } from '../model/errors.ts'
import type { ProcessEvent } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import type { ProcessContext, StepOptions } from './context.ts'
import type { RunnableDisposition } from './engine.ts'
import type { Wakes } from './wakes.ts'

/**
 * A tool as the AI SDK's `tool()` makes it; only what a process needs of it. Any object of this shape will do, so the
 * SDK is not a dependency.
 */
export interface Tool {
  readonly description?: unknown
  readonly inputSchema?: unknown
  /** The AI SDK's own word for `approval: {}`. */
  readonly needsApproval?:
    | boolean
    | ((
        input: never,
        options: {
          readonly toolCallId: string
          readonly messages: never[]
          readonly context: Record<string, never>
        },
      ) => boolean | PromiseLike<boolean>)
  execute?(input: never, options: ToolCallOptions): unknown
}

/** What `execute` gets beside its input: the AI SDK's options, and what a durable process adds to them. */
export interface ToolCallOptions {
  readonly toolCallId: string
  /** What was said before the model made the call; empty where no model did. */
  readonly messages: never[]
  /** Fires when a cancel was requested, the lease was lost, the worker shuts down, or the call's time is over. */
  readonly abortSignal: AbortSignal
  /** The AI SDK's own; empty here. */
  readonly context: Record<string, never>
  readonly processId: string
  readonly sessionId: string
  /** Stable over attempts: hand it on as idempotency key. */
  readonly operationId: string
  /** What `prepare` made of the input before the process was registered. */
  readonly prepared?: Json
  readonly events: ToolEvents
  /**
   * For a call whose result comes later: opens the call under a key, from when on anybody who has that may answer it by
   * `completeToolCall`. Hand the key on, then return what this gives; the process waits, parked, for the answer. The same
   * at each attempt, with the answer, if it came in between.
   */
  pending(options?: PendingOptions): Promise<PendingAnswer>
}

export interface PendingOptions {
  /** Unique in the registry. Default: the operation id. */
  readonly key?: string
  /** Milliseconds after which no answer is taken and the call has failed. Default: no limit. */
  readonly timeout?: number
}

/** Events of the tool's own process. */
export interface ToolEvents {
  /** Of a type that the tool declares. */
  emit(eventType: string, payload: Json): Promise<ProcessEvent>
  /** The first event of the type with a sequence above `after` (default 0), there already or still to come. */
  next(eventType: string, options?: { readonly after?: number }): Promise<ProcessEvent>
}

/** Returned by `execute`: the result comes later. */
export class PendingAnswer {
  readonly key: string
  readonly untilMs?: number

  constructor(key: string, untilMs: number | undefined) {
    this.key = key
    if (untilMs !== undefined) this.untilMs = untilMs
  }
}

export interface OrchestrateCall {
  readonly ctx: ProcessContext
  readonly callId: string
  /** The session that hears of this process, and of what it starts; without one, the process itself. */
  readonly family: string
}

/** A tool with what Leasehold must know of it. */
export interface ToolDefinition<Of extends Tool = Tool>
  extends Pick<StepOptions<Json>, 'retry' | 'timeout' | 'isNotDone' | 'onUnknown'> {
  readonly tool: Of
  /** What calls find it by, should it be renamed. Default: its name. */
  readonly id?: string
  /** Absent: each start must state it. */
  readonly disposition?: RunnableDisposition
  /** Whether the call may be made again after a crash. Default: `repeatable` where rerunnable, else `once`. */
  readonly effect?: StepOptions<Json>['effect']
  /**
   * People who must allow each call before it is made, or a function that says so of a call. They are asked under the
   * call's own arguments and no others, and a yes is good for this one call. Default: nobody.
   */
  readonly approval?:
    | ApprovalRule
    | ((input: never) => ApprovalRule | undefined | Promise<ApprovalRule | undefined>)
  /**
   * How many characters of a result a model is shown, unless the tool has a `toModelOutput` of its own. The journal keeps
   * the whole. Default 32,000.
   */
  readonly shownChars?: number
  /**
   * Runs instead of the tool's own code, and in no step: its calls of the context are journaled, each by itself, so it
   * may start processes and wait for them. Everything else in it is done again at each replay.
   */
  readonly orchestrate?: (args: Json, call: OrchestrateCall) => Promise<Json>
  /** Event types that the tool may emit, each with its payload's JSON Schema. */
  readonly events?: Readonly<Record<string, Json>>
  /** Events that wake the session which the process was started from, as an engine's `wakes`. */
  readonly wakes?: Wakes
  /** Runs once, where the process is started and before it is registered; what it returns is stored with the call. */
  prepare?(input: never): Json | Promise<Json>
}

export interface ApprovalRule {
  /** How many people must say yes; one no is enough. Default 1. */
  readonly approvers?: number
  /** Milliseconds after which no word is taken and the call is not made. Default: no limit. */
  readonly timeout?: number
  /** Milliseconds for which a yes holds until the call is made. Default: no limit. */
  readonly validFor?: number
}

export const defineTool = <Of extends Tool>(
  tool: Of,
  options: Omit<ToolDefinition, 'tool'> = {},
): ToolDefinition<Of> => ({ ...options, tool })

/**
 * What a durable process adds to the options of `execute`, for tools that are typed by the AI SDK, whose options do not
 * know of it. Throws `usage` where something else made the call.
 */
export function durableCall(options: object): ToolCallOptions {
  if (isDurableCall(options)) return options
  throw new LeaseholdError(
    'usage',
    'This tool hands its operation id on, and was called outside of a process, where there is none. Give it to durableTools, or start it as a tool call.',
  )
}

const isDurableCall = (options: object): options is ToolCallOptions =>
  'operationId' in options && 'processId' in options

export const toolDefinition = (entry: Tool | ToolDefinition): ToolDefinition =>
  'tool' in entry ? entry : { tool: entry }
