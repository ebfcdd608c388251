import type { ProcessContext, RetryPolicy, StepScope } from '../context.ts'
import { agentStateOf } from './agent-state.ts'
import { askInStep, type StoppableParams } from './ask-in-step.ts'
import { LiveParts } from './live-parts.ts'
import {
  MODEL_STEP,
  type ModelCallRecord,
  type ModelPrice,
  modelCallDigest,
  readRecord,
  readResult,
  recordAsJson,
  storedResult,
} from './model-call.ts'
import { tryModel } from './model-retry.ts'
import { type Held, readStream, streamOf } from './model-stream.ts'
import type { AnyModel, Model, ModelParams, ModelPart } from './model-types.ts'
import { modelNames, resolveModel } from './resolve-model.ts'
import { budgetFailure } from './spending.ts'

export interface DurableModelOptions {
  /**
   * Default: three tries in all, of errors that the AI SDK calls retryable, a second after the first and longer after
   * each. The SDK's own retries never happen: what a call came to is final.
   */
  readonly retry?: RetryPolicy
  /** Milliseconds for one call with its tries. Default: no limit. */
  readonly timeout?: number
  /** What the journal reckons the call's cost by. Default: no cost is recorded. */
  readonly price?: ModelPrice
  /** Hears of each part of a streamed answer as the provider gives it; never again of an answer from the journal. */
  readonly onPart?: (part: ModelPart, call: ModelCallScope) => void
}

/** The call that a part belongs to. */
export interface ModelCallScope {
  /** The same at each attempt that makes this call. */
  readonly key: string
}

/**
 * The model, each of whose calls is a journaled step of the process: `generateText`, `streamText` and agents use it as
 * they use any. The step's key is the digest of what the model is told, so calls may be made side by side; an answer that
 * is in the journal is given from there. A streamed answer is handed on as it comes, but from its first tool call on
 * only once it is journaled: no tool runs for a call that could be made again.
 */
export function durableModel(ctx: ProcessContext, model: AnyModel, options: DurableModelOptions = {}): Model {
  const names = modelNames(model)
  const state = agentStateOf(ctx)
  let resolved: Promise<Model> | undefined
  const inner = () => {
    resolved ??= resolveModel(model)
    return resolved
  }

  async function callOnce(
    kind: 'generate' | 'stream',
    params: ModelParams,
    ask: (params: StoppableParams, call: ModelCallScope) => ReturnType<Parameters<typeof askInStep>[3]>,
  ): Promise<ModelCallRecord> {
    state.requireSound()
    ctx.signal.throwIfAborted()
    const digest = modelCallDigest(names, kind, params)
    const occurrence = state.count(`model ${digest}`)
    const key = occurrence === 1 ? digest : `${digest}.${occurrence}`
    const run = async (scope: StepScope) => {
      const told = { params, price: options.price }
      const asked = await askInStep(ctx, scope, told, given => ask(given, { key }))
      return recordAsJson({ ...names, ...asked })
    }
    const timeout = options.timeout === undefined ? {} : { timeout: options.timeout }
    try {
      return readRecord(await ctx.step(MODEL_STEP, run, { key, ...timeout }))
    } catch (error) {
      throw budgetFailure(error) ?? error
    }
  }

  return {
    specificationVersion: 'v4',
    provider: names.provider,
    modelId: names.modelId,
    get supportedUrls() {
      return inner().then(({ supportedUrls }) => supportedUrls)
    },

    async doGenerate(params) {
      const record = await callOnce('generate', params, async given => {
        const found = await inner()
        const tries = { retry: options.retry, signal: given.abortSignal, mayRepeat: () => true }
        const { value, failedTries } = await tryModel(async () => found.doGenerate(given), tries)
        return { answer: storedResult(value), tokens: value.usage, failedTries }
      })
      return readResult(record)
    },

    async doStream(params) {
      const live = new LiveParts()
      const held: Held = { parts: [], isGiven: false }
      const called = callOnce('stream', params, async (given, { key }) => {
        const found = await inner()
        const tell = (part: ModelPart) => options.onPart?.(part, { key })
        const tries = { retry: options.retry, signal: given.abortSignal, mayRepeat: () => !held.isGiven }
        const once = async () => readStream((await found.doStream(given)).stream, { live, held, tell })
        const { value, failedTries } = await tryModel(once, tries)
        return { ...value, failedTries }
      })
      // Either it speaks, or it is known at once what it said, or it failed before a word.
      await Promise.race([live.begun, called])
      return { stream: streamOf(called, { live, held }) }
    },
  }
}
