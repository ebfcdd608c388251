import type { Json } from '../../model/json.ts'
import { DEFAULT_SAME_CALLS } from '../agent/call-guard.ts'
import type { ModelPrice } from '../agent/model-call.ts'
import type { SessionPolicy } from '../environment.ts'
import type { ModelTable, ToolTable } from '../plugin.ts'
import { ProcessFailure } from '../process-failure.ts'

/** What a turn takes from its policy; other fields are the host's own. */
export interface TurnPolicy {
  /** A name in the host's or a plugin's `models`. Default `default`. */
  readonly model: string
  /** What the model is told before everything else. Default: nothing. */
  readonly instructions?: string
  /** Model calls in all: one more fails the turn. Default 20. */
  readonly maxSteps: number
  /** Names of the tools that the model may call. Default: all. */
  readonly tools?: readonly string[]
  /**
   * Names in the host's or a plugin's `stopConditions`, looked at after each model call that had tools called. Default:
   * none, and the turn ends with the model's answer.
   */
  readonly stopWhen?: readonly string[]
  /** What the model's calls are reckoned by, in dollars for a million tokens. Default: no cost is recorded. */
  readonly price?: ModelPrice
  /**
   * How often one tool may be called with the same arguments before the model is told to stop; after as many again the
   * turn fails. Default 8.
   */
  readonly sameCalls: number
}

const DEFAULT_MAX_STEPS = 20

export function readTurnPolicy(policy: SessionPolicy): TurnPolicy {
  const { model = 'default', instructions, maxSteps = DEFAULT_MAX_STEPS, tools } = policy
  const { sameCalls = DEFAULT_SAME_CALLS, price, stopWhen } = policy
  if (typeof model !== 'string' || model === '') throw unusable('model', 'the name of a model')
  if (instructions !== undefined && typeof instructions !== 'string') throw unusable('instructions', 'a text')
  if (!isCount(maxSteps)) throw unusable('maxSteps', 'a whole number from 1')
  if (!isCount(sameCalls)) throw unusable('sameCalls', 'a whole number from 1')
  if (tools !== undefined && !isNames(tools)) throw unusable('tools', 'a list of names')
  if (stopWhen !== undefined && !isNames(stopWhen)) throw unusable('stopWhen', 'a list of names')
  return {
    model,
    maxSteps,
    sameCalls,
    ...(price === undefined ? {} : { price: readPrice(price) }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools === undefined ? {} : { tools }),
    ...(stopWhen === undefined ? {} : { stopWhen }),
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1

function readPrice(stated: Json): ModelPrice {
  const { input, output, cachedInput } = Object(stated)
  const isPrice = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0
  if (!isPrice(input) || !isPrice(output) || (cachedInput !== undefined && !isPrice(cachedInput)))
    throw unusable('price', 'input, output and, if need be, cachedInput in dollars for a million tokens')
  return { input, output, ...(cachedInput === undefined ? {} : { cachedInput }) }
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
