import { randomUUID } from 'node:crypto'
import type { Json } from '../model/json.ts'
import type { Model, ModelParams, ModelPart, ModelResult, ModelTokens } from '../runtime/agent/model-types.ts'

/** One answer: a text, calls of tools, both, or an error to throw; or what makes one from what the model is told. */
export type ScriptedAnswer = string | ScriptedSay | Error
export type ScriptedStep =
  | ScriptedAnswer
  | ((prompt: ModelPrompt) => ScriptedAnswer | Promise<ScriptedAnswer>)

export interface ScriptedSay {
  readonly text?: string
  readonly calls?: readonly ScriptedCall[]
  readonly tokens?: { readonly input: number; readonly output: number }
}

export interface ScriptedCall {
  readonly tool: string
  /** As the model says it: a text is given as it is, also where it is no JSON. */
  readonly args?: Json
  /** Default: a new one for each answer, as real models have it. */
  readonly id?: string
}

export type ModelPrompt = ModelParams['prompt']

export interface ScriptedModel extends Model {
  /** What it was asked in this OS process, in order. */
  readonly prompts: readonly ModelPrompt[]
}

export interface ScriptedModelOptions {
  readonly modelId?: string
  /** Hears of each call before it is answered; what it throws, the call throws. Counts calls where several OS processes make them. */
  readonly onCall?: (prompt: ModelPrompt) => void | Promise<void>
  /** Awaited before each part of a streamed answer. */
  readonly onPart?: (part: ModelPart) => void | Promise<void>
}

const DEFAULT_TOKENS = { input: 10, output: 5 }

/**
 * A model that says one thing after the other. Which one is next follows from the conversation and from nothing else: as
 * many answers as the prompt holds of the model's own have been given. So a process that goes on after a crash, in another
 * OS process, hears what it would have heard, and one model serves any number of conversations.
 */
export function scriptedModel(
  script: readonly ScriptedStep[],
  { modelId = 'scripted', onCall, onPart }: ScriptedModelOptions = {},
): ScriptedModel {
  const prompts: ModelPrompt[] = []

  async function answer({ prompt, abortSignal }: ModelParams): Promise<ModelResult> {
    abortSignal?.throwIfAborted()
    prompts.push(prompt)
    await onCall?.(prompt)
    const said = prompt.filter(({ role }) => role === 'assistant').length
    const step = script[said]
    if (step === undefined)
      throw new Error(`the script has ${script.length} answers, and this is answer ${said + 1}`)
    const next = typeof step === 'function' ? await step(prompt) : step
    if (next instanceof Error) throw next
    return resultOf(typeof next === 'string' ? { text: next } : next)
  }

  return {
    specificationVersion: 'v4',
    provider: 'leasehold-testing',
    modelId,
    supportedUrls: {},
    prompts,
    doGenerate: answer,
    doStream: async params => ({ stream: streamOf(await answer(params), onPart) }),
  }
}

function resultOf({ text, calls = [], tokens = DEFAULT_TOKENS }: ScriptedSay): ModelResult {
  return {
    content: [
      ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
      ...calls.map(({ tool, args = {}, id = `call_${randomUUID()}` }) => ({
        type: 'tool-call' as const,
        toolCallId: id,
        toolName: tool,
        input: typeof args === 'string' ? args : JSON.stringify(args),
      })),
    ],
    finishReason: calls.length > 0 ? { unified: 'tool-calls', raw: undefined } : STOP,
    usage: usageOf(tokens),
    warnings: [],
  }
}

const STOP: ModelResult['finishReason'] = { unified: 'stop', raw: undefined }

const usageOf = ({ input, output }: NonNullable<ScriptedSay['tokens']>): ModelTokens => ({
  inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: output, text: output, reasoning: 0 },
})

function streamOf(result: ModelResult, onPart: ScriptedModelOptions['onPart']): ReadableStream<ModelPart> {
  const parts = partsOf(result)
  return new ReadableStream<ModelPart>({
    async pull(controller) {
      const part = parts.shift()
      if (part === undefined) return controller.close()
      await onPart?.(part)
      controller.enqueue(part)
    },
  })
}

/** Texts come word by word. */
function partsOf({ content, finishReason, usage }: ModelResult): ModelPart[] {
  return [
    { type: 'stream-start', warnings: [] },
    ...content.flatMap((part, index): ModelPart[] => {
      if (part.type !== 'text') return part.type === 'tool-call' ? [part] : []
      const id = `text-${index}`
      const deltas = part.text.match(/\S*\s*/g)?.filter(delta => delta !== '') ?? []
      return [
        { type: 'text-start', id },
        ...deltas.map((delta): ModelPart => ({ type: 'text-delta', id, delta })),
        { type: 'text-end', id },
      ]
    }),
    { type: 'finish', finishReason, usage },
  ]
}
