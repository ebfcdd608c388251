import { loadSdk } from '../turn/sdk.ts'
import type { AnyModel, Model } from './model-types.ts'

/** What of a model is known before the SDK is loaded. */
export const modelNames = (model: AnyModel): Pick<Model, 'provider' | 'modelId'> =>
  typeof model === 'string'
    ? { provider: 'gateway', modelId: model }
    : { provider: model.provider, modelId: model.modelId }

/** The model itself, whatever interface it has and whether it is an object or the name of one. */
export async function resolveModel(model: AnyModel): Promise<Model> {
  if (typeof model === 'object' && model.specificationVersion === 'v4') return model
  const { gateway, wrapLanguageModel } = await loadSdk()
  if (typeof model === 'object') return wrapLanguageModel({ model, middleware: [] })
  return (globalThis.AI_SDK_DEFAULT_PROVIDER ?? gateway).languageModel(model) as Model
}
