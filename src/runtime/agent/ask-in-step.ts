import type { ProcessContext, StepScope } from '../context.ts'
import {
  type ModelAnswer,
  type ModelCallRecord,
  type ModelPrice,
  storedResult,
  usageOf,
} from './model-call.ts'
import { type FailedTry, tryModel } from './model-retry.ts'
import type { AnyModel, Model, ModelParams } from './model-types.ts'
import { resolveModel } from './resolve-model.ts'
import { plannedOf, settle, tookOf, withinBudget } from './spending.ts'

/** What one call came to and took, whatever the number of its tries. */
export type Asked = Pick<ModelCallRecord, 'usage' | 'ms' | 'failedTries' | 'answer'>

/** A call that can be stopped. */
export type StoppableParams = ModelParams & { readonly abortSignal: AbortSignal }

/** Makes a model call within the step that is to journal it: reserved of the budgets before, and settled after. */
export async function askInStep(
  ctx: ProcessContext,
  scope: StepScope,
  { params, price }: { readonly params: ModelParams; readonly price: ModelPrice | undefined },
  ask: (params: StoppableParams) => Promise<ModelAnswer & { readonly failedTries: readonly FailedTry[] }>,
): Promise<Asked> {
  const { operationId } = scope
  const planned = plannedOf(params, price)
  return withinBudget(ctx, scope, planned, async signal => {
    const begunAt = performance.now()
    const both = anyOf(signal, params.abortSignal)
    const asked = await ask({ ...params, abortSignal: both }).catch(async error => {
      // Where the attempt ends with it, the next one or the end of the process says what it took.
      if (!ctx.signal.aborted) await settle(ctx, operationId, both.aborted ? planned.sure : { modelCalls: 1 })
      throw error
    })
    const { failedTries, answer, tokens } = asked
    const usage = usageOf(tokens, price)
    await settle(ctx, operationId, tookOf(usage))
    return { usage, ms: Math.round(performance.now() - begunAt), failedTries, answer }
  })
}

/** The model for a call by the code of one step. `heard` is told what the call took. */
export async function modelInStep(
  ctx: ProcessContext,
  scope: StepScope,
  model: AnyModel,
  { price, heard }: { readonly price: ModelPrice | undefined; readonly heard: (asked: Asked) => void },
): Promise<Model> {
  const found = await resolveModel(model)
  return {
    specificationVersion: 'v4',
    provider: found.provider,
    modelId: found.modelId,
    supportedUrls: found.supportedUrls,

    async doGenerate(params) {
      let result: Awaited<ReturnType<Model['doGenerate']>> | undefined
      const asked = await askInStep(ctx, scope, { params, price }, async given => {
        const tries = { retry: undefined, signal: given.abortSignal, mayRepeat: () => true }
        const { value, failedTries } = await tryModel(async () => found.doGenerate(given), tries)
        result = value
        return { answer: storedResult(value), tokens: value.usage, failedTries }
      })
      heard(asked)
      if (result === undefined) throw new Error('a model that was asked has answered or thrown')
      return result
    },

    doStream: async () => {
      throw new Error('the code of a step asks for whole answers')
    },
  }
}

const anyOf = (own: AbortSignal, asked: AbortSignal | undefined): AbortSignal =>
  asked === undefined ? own : AbortSignal.any([own, asked])
