import type { SessionPolicy } from '../environment.ts'
import type { ModelTable, ToolTable } from '../plugin.ts'
import { ProcessFailure } from '../process-failure.ts'

/** What a turn takes from its policy; other fields are the host's own. */
export interface TurnPolicy {
  /** A name in the host's or a plugin's `models`. Default `default`. */
  readonly model: string
  /** What the model is told before everything else. Default: nothing. */
  readonly instructions?: string
  /** Model calls in all. Default 20. */
  readonly maxSteps: number
  /** Names of the tools that the model may call. Default: all. */
  readonly tools?: readonly string[]
}

const DEFAULT_MAX_STEPS = 20

export function readTurnPolicy(policy: SessionPolicy): TurnPolicy {
  const { model = 'default', instructions, maxSteps = DEFAULT_MAX_STEPS, tools } = policy
  if (typeof model !== 'string' || model === '') throw unusable('model', 'the name of a model')
  if (instructions !== undefined && typeof instructions !== 'string') throw unusable('instructions', 'a text')
  if (typeof maxSteps !== 'number' || !Number.isInteger(maxSteps) || maxSteps < 1)
    throw unusable('maxSteps', 'a whole number from 1')
  if (tools !== undefined && !isNames(tools)) throw unusable('tools', 'a list of names')
  return {
    model,
    maxSteps,
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools === undefined ? {} : { tools }),
  }
}

const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(name => typeof name === 'string')

export function chooseModel(models: ModelTable, { model }: TurnPolicy): ModelTable[string] {
  const chosen = Object.hasOwn(models, model) ? models[model] : undefined
  if (chosen !== undefined) return chosen
  const known = Object.keys(models).join(', ') || 'none'
  throw turnFailed(`the host has no model "${model}", which the turn's policy names. It has: ${known}`)
}

export function chooseTools(tools: ToolTable, { tools: names }: TurnPolicy): ToolTable {
  if (names === undefined) return tools
  return Object.fromEntries(
    names.map(name => {
      const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
      if (tool === undefined)
        throw turnFailed(`the host has no tool "${name}", which the turn's policy names`)
      return [name, tool]
    }),
  )
}

const unusable = (field: string, expected: string): ProcessFailure =>
  turnFailed(`its policy's ${field} is no use: expected ${expected}`)

export const turnFailed = (reason: string, cause?: unknown): ProcessFailure =>
  new ProcessFailure('process_session_turn_failed', `The session turn failed: ${reason}.`, { cause })
