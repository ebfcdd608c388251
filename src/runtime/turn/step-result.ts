import type { ContentPart, ModelMessage, StepResult, ToolSet } from 'ai'
import type { ModelSaid } from './model-call.ts'

type Part = ContentPart<ToolSet>

/** What the calls of an answer came to, as the AI SDK's own loop has it. */
export type CallPart = Extract<Part, { readonly type: 'tool-result' | 'tool-error' }>

/** One model call with its tools, of this attempt or from the journal. */
export interface TurnStep {
  readonly answer: ModelSaid
  readonly calls: readonly CallPart[]
}

/**
 * The step as the AI SDK's stop conditions read it, made of what the journal has: texts, calls, results, reasons, tokens.
 * What a provider says of its HTTP calls, its files and its sources are not among that.
 */
export function stepResultOf(
  { answer, calls }: TurnStep,
  { callId, stepNumber }: { readonly callId: string; readonly stepNumber: number },
): StepResult<ToolSet> {
  const content = [...answer.messages.flatMap(message => partsOf(message, answer)), ...calls]
  const toolCalls = content.filter(part => part.type === 'tool-call')
  const toolResults = content.filter(part => part.type === 'tool-result')
  const reasoning = content.filter(part => part.type === 'reasoning')
  const { inputTokens, outputTokens } = answer.usage
  return {
    callId,
    stepNumber,
    model: answer.model,
    toolsContext: {},
    runtimeContext: {},
    content,
    text: answer.text,
    reasoning: reasoning.map(({ text }) => ({ type: 'reasoning', text })),
    reasoningText: reasoning.length === 0 ? undefined : reasoning.map(({ text }) => text).join(''),
    files: [],
    sources: [],
    toolCalls,
    staticToolCalls: [],
    dynamicToolCalls: toolCalls.filter(call => call.dynamic === true),
    toolResults,
    staticToolResults: [],
    dynamicToolResults: toolResults.filter(result => result.dynamic === true),
    finishReason: answer.finishReason,
    rawFinishReason: undefined,
    usage: {
      inputTokens,
      outputTokens,
      totalTokens: inputTokens + outputTokens,
      inputTokenDetails: {
        noCacheTokens: undefined,
        cacheReadTokens: undefined,
        cacheWriteTokens: undefined,
      },
      outputTokenDetails: { textTokens: undefined, reasoningTokens: undefined },
    },
    performance: {
      stepTimeMs: answer.ms,
      responseTimeMs: answer.ms,
      effectiveOutputTokensPerSecond: perSecond(outputTokens, answer.ms),
      effectiveTotalTokensPerSecond: perSecond(inputTokens + outputTokens, answer.ms),
      outputTokensPerSecond: undefined,
      inputTokensPerSecond: undefined,
      toolExecutionMs: {},
      timeToFirstOutputMs: undefined,
    },
    warnings: undefined,
    request: {},
    response: { id: callId, timestamp: new Date(0), modelId: answer.model.modelId, messages: [] },
    providerMetadata: undefined,
  }
}

const perSecond = (tokens: number, ms: number): number => (ms === 0 ? 0 : (tokens * 1_000) / ms)

/** What the model said itself: results of its calls stand beside that. Every tool is known at run time only. */
function partsOf({ role, content }: ModelMessage, { toolCalls }: ModelSaid): Part[] {
  if (role !== 'assistant') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.flatMap((part): Part[] => {
    switch (part.type) {
      case 'text':
      case 'reasoning':
        return [{ type: part.type, text: part.text }]
      case 'tool-call': {
        const { toolCallId, toolName, input } = part
        const isMade = part.providerExecuted === true || toolCalls.some(({ callId }) => callId === toolCallId)
        const call = { type: 'tool-call', toolCallId, toolName, input, dynamic: true } as const
        return [isMade ? call : { ...call, invalid: true }]
      }
      default:
        return []
    }
  })
}
