import type { StepEffect } from '../model/journal.ts'
import type { RunnableDisposition } from './engine.ts'

/**
 * A tool as the AI SDK's `tool()` makes it; only what a process needs of it. Any object of this shape will do, so the
 * SDK is not a dependency.
 */
export interface Tool {
  readonly description?: string
  readonly inputSchema?: unknown
  execute?(input: never, options: ToolCallOptions): unknown
}

/** What `execute` gets beside its input: the AI SDK's options, and what makes an effect idempotent. */
export interface ToolCallOptions {
  readonly toolCallId: string
  readonly messages: never[]
  readonly abortSignal: AbortSignal
  readonly processId: string
  /** Stable over attempts: hand it on as idempotency key. */
  readonly operationId: string
}

/** A tool with what Leasehold must know of it. */
export interface ToolDefinition {
  readonly tool: Tool
  /** Absent: each start must state it. */
  readonly disposition?: RunnableDisposition
  /** Whether the call may be made again after a crash. Default: `repeatable` where rerunnable, else `once`. */
  readonly effect?: StepEffect
}

export const defineTool = (tool: Tool, options: Omit<ToolDefinition, 'tool'> = {}): ToolDefinition => ({
  ...options,
  tool,
})

export const toolDefinition = (entry: Tool | ToolDefinition): ToolDefinition =>
  'tool' in entry ? entry : { tool: entry }
