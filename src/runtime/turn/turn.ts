import type { ModelMessage, ToolModelMessage } from 'ai'
import { isLeaseholdError } from '../../model/errors.ts'
import { fromJson, type Json } from '../../model/json.ts'
import { answerCall } from '../agent/answer-call.ts'
import type { ModelUsage } from '../agent/model-call.ts'
import { shownResult } from '../agent/shown-result.ts'
import { budgetFailure } from '../agent/spending.ts'
import { inPhase, type TurnPhase } from '../phase-probe.ts'
import type { ProcessRuntime } from '../runtime.ts'
import { type BodyContext, findTool } from '../tool-call.ts'
import { answerSchemaOf, readAnswer } from './answer.ts'
import { callModel, type ModelSaid, storable } from './model-call.ts'
import { chooseModel, chooseTools, readTurnPolicy, turnFailed } from './policy.ts'
import type { Steering } from './steering.ts'

/** What a turn came to, beside what it leaves in its session. */
export interface FinishedTurn {
  /** Everything that was said in it, the input first. */
  readonly messages: readonly ModelMessage[]
  readonly result: {
    readonly answer: Json
    readonly steps: number
    readonly usage: ModelUsage
  }
}

export interface TurnParts {
  readonly runtime: ProcessRuntime
  readonly history: readonly ModelMessage[]
  readonly input: readonly ModelMessage[]
  readonly outputContract: Json
  readonly steering: Steering
}

/**
 * The plain loop: ask the model, do what it wants to have done, ask again, until it has its answer. Each model call and
 * each tool call is a journaled step, so that a crash repeats none of them.
 */
export async function runTurn(ctx: BodyContext, parts: TurnParts): Promise<FinishedTurn> {
  const { runtime } = parts
  const phase = <T>(name: TurnPhase, work: () => Promise<T>) => inPhase(runtime.probe, name, work)
  const policy = readTurnPolicy(runtime.policy)
  const model = chooseModel(runtime.models, policy)
  const tools = chooseTools(runtime.tools, policy)
  const answerSchema = answerSchemaOf(parts.outputContract)
  const said: ModelMessage[] = [...parts.input]
  let usage: ModelUsage = { inputTokens: 0, outputTokens: 0 }

  const askModel = (step: number): Promise<ModelSaid> =>
    ctx.step(
      'model',
      async scope => {
        const context = await phase('context_transform', () =>
          transformed(runtime, [...parts.history, ...said]),
        )
        const call = await phase('prompt_build', async () => ({
          model,
          tools,
          messages: context,
          ...(policy.price === undefined ? {} : { price: policy.price }),
          ...(policy.instructions === undefined ? {} : { instructions: policy.instructions }),
          ...(answerSchema === undefined ? {} : { answerSchema }),
        }))
        return callModel(ctx, scope, call)
      },
      { key: String(step) },
    )

  const last = await phase('effect_loop', async () => {
    for (let step = 1; ; step++) {
      // A call that was cut off is an answer, and no reason to ask for another one.
      ctx.signal.throwIfAborted()
      const answer = await asked(() => askModel(step))
      said.push(...answer.messages)
      usage = addUsage(usage, answer.usage)
      if (!answer.isCalling) {
        const more = step < policy.maxSteps ? await parts.steering.take(step + 1) : []
        if (more.length === 0) return { ...answer, step }
        said.push(...more)
        continue
      }
      if (step === policy.maxSteps)
        throw turnFailed(`it was not done after ${step} model calls, which is the policy's maxSteps`)
      if (answer.toolCalls.length > 0)
        said.push(await callTools(ctx, { tools, said, answer, sameCalls: policy.sameCalls }))
      // What came meanwhile is said together with the results that the model waits for.
      said.push(...(await parts.steering.take(step + 1)))
    }
  })

  return phase('finalize', async () => {
    if (last.finishReason !== 'stop') throw turnFailed(`the model stopped for ${last.finishReason}`)
    const answer = readAnswer(last.text, answerSchema)
    return { messages: said, result: { answer, steps: last.step, usage } }
  })
}

/** What a step's failure means for the turn; a cancel and the registry's trouble stay what they are. */
async function asked(ask: () => Promise<ModelSaid>): Promise<ModelSaid> {
  try {
    return await ask()
  } catch (error) {
    if (!isLeaseholdError(error, 'step_failed')) throw error
    const exceeded = budgetFailure(error)
    if (exceeded !== undefined) throw exceeded
    throw turnFailed(error.message.replace(/\.$/, ''), error)
  }
}

async function transformed(
  { hooks }: ProcessRuntime,
  messages: readonly ModelMessage[],
): Promise<readonly ModelMessage[]> {
  let context = messages
  for (const hook of hooks) context = (await hook.transformContext?.(context)) ?? context
  return context
}

interface ToolRound {
  readonly tools: ProcessRuntime['tools']
  readonly said: readonly ModelMessage[]
  readonly answer: ModelSaid
  readonly sameCalls: number
}

/** All calls of one answer side by side. The model hears of each what it came to, also where nobody knows. */
async function callTools(ctx: BodyContext, round: ToolRound): Promise<ModelMessage> {
  const { tools, said, answer, sameCalls } = round
  // What the model saw when it made the calls.
  const messages = said.slice(0, said.length - answer.messages.length)
  const content = await Promise.all(
    answer.toolCalls.map(async ({ callId: toolCallId, toolName, args }) => {
      const definition = findTool(tools, { toolName })
      const part = { type: 'tool-result' as const, toolCallId, toolName }
      if (definition === undefined)
        return { ...part, output: { type: 'error-text' as const, value: `There is no tool "${toolName}".` } }
      const call = { toolCallId, toolName, args, messages }
      const told = await answerCall(ctx, definition, { call, sameCalls })
      if (told.type === 'error')
        return { ...part, output: { type: 'error-text' as const, value: told.error.message } }
      const { output } = told
      return { ...part, output: await shownResult(definition, { toolCallId, input: args, output }) }
    }),
  )
  return { role: 'tool', content: fromJson<ToolModelMessage['content']>(storable(content)) }
}

const addUsage = (left: ModelUsage, right: ModelUsage): ModelUsage => ({
  inputTokens: left.inputTokens + right.inputTokens,
  outputTokens: left.outputTokens + right.outputTokens,
  ...(right.costUsd === undefined ? {} : { costUsd: (left.costUsd ?? 0) + right.costUsd }),
})
