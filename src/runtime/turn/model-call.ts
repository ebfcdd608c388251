import type { FinishReason, ModelMessage, ToolSet } from 'ai'
import { fromJson, type Json } from '../../model/json.ts'
import { type Asked, modelInStep } from '../agent/ask-in-step.ts'
import type { ModelPrice, ModelUsage } from '../agent/model-call.ts'
import type { StepScope } from '../context.ts'
import type { ModelTable, ToolTable } from '../plugin.ts'
import { toolDefinition } from '../tool.ts'
import type { BodyContext } from '../tool-call.ts'
import type { RepairToolCall } from './repair.ts'
import { loadSdk } from './sdk.ts'

/** What one model call came to, as its step has it in the journal. */
export interface ModelSaid {
  readonly text: string
  readonly model: { readonly provider: string; readonly modelId: string }
  readonly finishReason: FinishReason
  /** It waits for results, whatever it calls the reason: those that it called wrongly are among them. */
  readonly isCalling: boolean
  /** Calls that are to be made here; those that do not fit their schema have their error among the messages already. */
  readonly toolCalls: readonly { readonly callId: string; readonly toolName: string; readonly args: Json }[]
  readonly messages: readonly ModelMessage[]
  readonly usage: ModelUsage
  readonly ms: number
  /** Tries before the one that answered. */
  readonly failedTries: Asked['failedTries']
}

export interface ModelCall {
  readonly model: ModelTable[string]
  readonly tools: ToolTable
  readonly messages: readonly ModelMessage[]
  readonly instructions?: string
  /** JSON Schema of the answer, where it is to be no free text. */
  readonly answerSchema?: Json
  readonly price?: ModelPrice
  readonly repair?: RepairToolCall
}

/**
 * One call, by the code of a step, whatever the model then wants to have done: its tools are called by the turn, each as a
 * step of its own.
 */
export async function callModel(ctx: BodyContext, scope: StepScope, call: ModelCall): Promise<ModelSaid> {
  const { generateText } = await loadSdk()
  const { messages, instructions, answerSchema, price, repair } = call
  let took: Asked | undefined
  const model = await modelInStep(ctx, scope, call.model, {
    price,
    heard: asked => {
      took = asked
    },
  })
  const result = await generateText({
    model,
    // What was tried is counted and journaled where it is tried.
    maxRetries: 0,
    messages: [...messages],
    tools: await uncallable(call.tools),
    abortSignal: scope.signal,
    ...(instructions === undefined ? {} : { instructions }),
    ...(repair === undefined ? {} : { repairToolCall: repair }),
    ...(answerSchema === undefined ? {} : { output: await answerOutput(answerSchema) }),
  })
  const { text, finishReason, toolCalls, responseMessages } = result
  if (took === undefined) throw new Error('an answer comes from the model that was asked')
  const { usage, ms, failedTries } = took
  return {
    text,
    model: { provider: model.provider, modelId: model.modelId },
    finishReason,
    isCalling: toolCalls.some(({ providerExecuted }) => providerExecuted !== true),
    toolCalls: toolCalls
      .filter(({ invalid, providerExecuted }) => invalid !== true && providerExecuted !== true)
      .map(({ toolCallId, toolName, input }) => ({
        callId: toolCallId,
        toolName,
        args: storable(input),
      })),
    messages: fromJson<ModelMessage[]>(storable(responseMessages)),
    usage,
    ms,
    failedTries,
  }
}

/** Tells the model what its answer is to look like. Whether it does is the turn's to say, once the answer is journaled. */
async function answerOutput(schema: Json) {
  const { jsonSchema, Output } = await loadSdk()
  const output = Output.object({ schema: jsonSchema(schema as Parameters<typeof jsonSchema>[0]) })
  return { ...output, parseCompleteOutput: async ({ text }: { readonly text: string }) => text }
}

/** The tools as the model sees them. Without `execute` the SDK leaves the calls to us, and whom to ask about them as well. */
async function uncallable(tools: ToolTable): Promise<ToolSet> {
  const { jsonSchema } = await loadSdk()
  const anything = jsonSchema({ type: 'object', additionalProperties: true })
  return Object.fromEntries(
    Object.entries(tools).map(([name, entry]) => {
      const { execute: _, needsApproval: __, inputSchema = anything, ...tool } = toolDefinition(entry).tool
      return [name, { ...tool, inputSchema }]
    }),
  ) as ToolSet
}

/** Messages may carry bytes and addresses, which the SDK takes as text as well, and JSON only so. */
export function storable(value: unknown): Json {
  return JSON.parse(
    JSON.stringify(value ?? null, (_, member: unknown) =>
      member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member,
    ),
  ) as Json
}
