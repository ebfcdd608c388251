import { LeaseholdError } from '../../model/errors.ts'

type Sdk = typeof import('ai')

let loading: Promise<Sdk> | undefined

/** The AI SDK, loaded by whoever runs the first turn: hosts without turns need not have it. */
export function loadSdk(): Promise<Sdk> {
  loading ??= import('ai').catch(cause => {
    loading = undefined
    throw new LeaseholdError(
      'process_runtime_build_failed',
      'Session turns need the AI SDK, which cannot be loaded. Install it beside this package: npm install ai',
      { cause },
    )
  })
  return loading
}
