import type { ModelMessage, ToolModelMessage } from 'ai'
import { isLeaseholdError } from '../../model/errors.ts'
import { fromJson, type Json } from '../../model/json.ts'
import { answerCall } from '../agent/answer-call.ts'
import type { ModelUsage } from '../agent/model-call.ts'
import { shownResult } from '../agent/shown-result.ts'
import { budgetFailure } from '../agent/spending.ts'
import { inPhase, type TurnPhase } from '../phase-probe.ts'
import type { ProcessFailure } from '../process-failure.ts'
import type { ProcessRuntime } from '../runtime.ts'
import { type BodyContext, findTool } from '../tool-call.ts'
import { answerSchemaOf, readAnswer } from './answer.ts'
import { callModel, type ModelSaid, storable } from './model-call.ts'
import { chooseModel, chooseTools, readTurnPolicy, turnFailed } from './policy.ts'
import { repairOf } from './repair.ts'
import type { Steering } from './steering.ts'
import type { CallPart, TurnStep } from './step-result.ts'
import { chooseStopConditions, findStop } from './stop-conditions.ts'

/** What a turn came to, beside what it leaves in its session. */
export interface FinishedTurn {
  /** Everything that was said in it, the input first. */
  readonly messages: readonly ModelMessage[]
  readonly result: {
    readonly answer: Json
    readonly steps: number
    readonly usage: ModelUsage
    /** The policy's stop condition that was met before the model came to an end. */
    readonly stoppedBy?: string
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
  const repair = repairOf(runtime.hooks)
  const conditions = chooseStopConditions(runtime.stopConditions, policy)
  const answerSchema = answerSchemaOf(parts.outputContract)
  const said: ModelMessage[] = [...parts.input]
  const steps: TurnStep[] = []
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
          ...(repair === undefined ? {} : { repair }),
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
      const isLast = step === policy.maxSteps
      if (!answer.isCalling) {
        steps.push({ answer, calls: [] })
        const more = isLast ? [] : await parts.steering.take(step + 1)
        if (more.length === 0) return { answer }
        said.push(...more)
        continue
      }
      // Nobody would hear what the tools said.
      if (isLast && conditions.length === 0) throw usedUp(step)
      const calls = await callTools(ctx, { tools, said, answer, sameCalls: policy.sameCalls })
      said.push(...calls.messages)
      steps.push({ answer, calls: calls.parts })
      const stoppedBy = await findStop(ctx, conditions, steps)
      if (stoppedBy !== undefined) return { answer, stoppedBy }
      if (isLast) throw usedUp(step)
      // What came meanwhile is said together with the results that the model waits for.
      said.push(...(await parts.steering.take(step + 1)))
    }
  })

  return phase('finalize', async () => {
    const { stoppedBy } = last
    const { finishReason, text } = last.answer
    if (stoppedBy === undefined && finishReason !== 'stop')
      throw turnFailed(`the model stopped for ${finishReason}`)
    const answer = readAnswer(text, answerSchema)
    const result = { answer, steps: steps.length, usage }
    return { messages: said, result: stoppedBy === undefined ? result : { ...result, stoppedBy } }
  })
}

const usedUp = (steps: number): ProcessFailure =>
  turnFailed(`it was not done after ${steps} model calls, which is the policy's maxSteps`)

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

interface CalledTools {
  /** None where all calls were wrong: what was wrong with them is among the answer's own. */
  readonly messages: readonly ModelMessage[]
  readonly parts: readonly CallPart[]
}

/** All calls of one answer side by side. The model hears of each what it came to, also where nobody knows. */
async function callTools(
  ctx: BodyContext,
  { tools, said, answer, sameCalls }: ToolRound,
): Promise<CalledTools> {
  // What the model saw when it made the calls.
  const messages = said.slice(0, said.length - answer.messages.length)
  const called = await Promise.all(
    answer.toolCalls.map(async ({ callId: toolCallId, toolName, args }) => {
      const about = { toolCallId, toolName, input: args, dynamic: true } as const
      const failed = (error: Error) => ({
        part: { ...about, type: 'tool-error' as const, error },
        shown: { type: 'error-text', value: error.message } as unknown,
      })
      const definition = findTool(tools, { toolName })
      if (definition === undefined) return failed(new Error(`There is no tool "${toolName}".`))
      const call = { toolCallId, toolName, args, messages }
      const told = await answerCall(ctx, definition, { call, sameCalls })
      if (told.type === 'error') return failed(told.error)
      const { output } = told
      return {
        part: { ...about, type: 'tool-result' as const, output },
        shown: await shownResult(definition, { toolCallId, input: args, output }),
      }
    }),
  )
  const content = called.map(({ part: { toolCallId, toolName }, shown }) => {
    return { type: 'tool-result', toolCallId, toolName, output: shown }
  })
  const message = { role: 'tool', content: fromJson<ToolModelMessage['content']>(storable(content)) } as const
  return { messages: content.length === 0 ? [] : [message], parts: called.map(({ part }) => part) }
}

const addUsage = (left: ModelUsage, right: ModelUsage): ModelUsage => ({
  inputTokens: left.inputTokens + right.inputTokens,
  outputTokens: left.outputTokens + right.outputTokens,
  ...(right.costUsd === undefined ? {} : { costUsd: (left.costUsd ?? 0) + right.costUsd }),
})
