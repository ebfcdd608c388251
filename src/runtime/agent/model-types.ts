import type { LanguageModel, wrapLanguageModel } from 'ai'

/** The AI SDK's model of today's interface, taken from its own signatures: providers' packages need not be installed. */
export type Model = ReturnType<typeof wrapLanguageModel>
export type AnyModel = LanguageModel

export type ModelParams = Parameters<Model['doGenerate']>[0]
export type ModelResult = Awaited<ReturnType<Model['doGenerate']>>
export type ModelPart =
  Awaited<ReturnType<Model['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never
export type ModelTokens = ModelResult['usage']
