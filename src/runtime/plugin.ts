import type { LanguageModel, ModelMessage, StopCondition, ToolCallRepairFunction, ToolSet } from 'ai'
import type { Json } from '../model/json.ts'
import type { Schema } from './schema.ts'
import type { Tool, ToolDefinition } from './tool.ts'

export type ToolTable = Readonly<Record<string, Tool | ToolDefinition>>
/** The AI SDK's own models, by the names that policies choose them with. */
export type ModelTable = Readonly<Record<string, LanguageModel>>
/** The AI SDK's own conditions (`isStepCount`, `hasToolCall`, any function of the steps), by the names that policies choose them with. */
export type StopConditionTable = Readonly<Record<string, StopCondition<ToolSet>>>

/** What one plugin adds to a runtime. */
export interface PluginParts {
  readonly tools?: ToolTable
  /** Beside `tools`, those that somebody else lists, and may list otherwise before the next attempt. */
  readonly listed?: ListedTools
  readonly models?: ModelTable
  readonly stopConditions?: StopConditionTable
  readonly hooks?: RuntimeHooks
}

/**
 * Tools by a list. The first attempt journals it, and each later one gets the tools of that: what its model was told, and
 * which calls it has made, must not change under its code.
 */
export interface ListedTools {
  readonly list: Json
  toolsOf(list: Json): ToolTable | Promise<ToolTable>
}

/** What a plugin does at certain moments of a runtime. Hooks of several plugins run in the plugins' order. */
export interface RuntimeHooks {
  /** Gives the messages that a turn's next model call gets. */
  transformContext?(
    messages: readonly ModelMessage[],
  ): readonly ModelMessage[] | Promise<readonly ModelMessage[]>
  /**
   * The AI SDK's own: a call of the model's that names no tool or does not fit it, made one that does; null: not by this
   * hook. In the step of the model call, and so only once. A call that nobody repairs is answered with what is wrong.
   */
  readonly repairToolCall?: ToolCallRepairFunction<ToolSet>
  /** Before a turn's first model call, at each of its attempts; what it throws ends the turn as failed. */
  beforeTurn?(turn: TurnInfo): void | Promise<void>
  /** After a turn was stored. What it throws is logged and changes nothing. */
  afterTurn?(turn: TurnInfo): void | Promise<void>
  /** At every end of the attempt: outcome, park, lost lease, shutdown. */
  dispose?(): void | Promise<void>
}

export interface TurnInfo {
  readonly processId: string
  readonly sessionId: string
}

/** What a plugin may go by while it makes its parts. */
export interface PluginMaking {
  /** Fires when they are no longer wanted: the process is cancelled, its lease lost, or the worker shuts down. */
  readonly signal: AbortSignal
}

/**
 * Makes the parts anew for each runtime, from the options that were captured with the process. Its name is its
 * function's; options and errors are found by it.
 */
export interface Plugin {
  // biome-ignore lint/suspicious/noExplicitAny: options of every plugin in one list; each one's own type holds inside it
  (options: any, making: PluginMaking): PluginParts | Promise<PluginParts>
  readonly name: string
  /** Checks the options at each start. Default: any JSON. */
  readonly options?: Schema
}

/** Plugins in order; a list in the list is a stack that somebody else put together. */
export type PluginStack = readonly (Plugin | PluginStack)[]

/** Options by plugin. A plugin without any gets null. */
export type PluginOptions = { readonly [plugin: string]: Json }

/** A plugin with a name of its own, and options that a schema checks. */
export function definePlugin<Options = Json>(
  name: string,
  create: (options: Options, making: PluginMaking) => PluginParts | Promise<PluginParts>,
  { options }: { readonly options?: Schema<unknown, Options> } = {},
): Plugin {
  const plugin = (given: Options, making: PluginMaking) => create(given, making)
  Object.defineProperty(plugin, 'name', { value: name })
  return Object.assign(plugin, options === undefined ? {} : { options })
}

export const flattenPlugins = (stack: PluginStack): readonly Plugin[] =>
  stack.flatMap(entry => (typeof entry === 'function' ? [entry] : flattenPlugins(entry)))
