import type { LanguageModel } from 'ai'

/** A model of the AI SDK's gateway where its key is set, named by EXAMPLE_MODEL; else the script. */
export const chooseModel = (script: LanguageModel, env: NodeJS.ProcessEnv): LanguageModel =>
  env.AI_GATEWAY_API_KEY === undefined ? script : (env.EXAMPLE_MODEL ?? 'anthropic/claude-sonnet-4.5')
