import { LeaseholdError } from '../model/errors.ts'
import { canonicalJson, hashJson, type Json } from '../model/json.ts'
import type { ProcessRegistry } from '../registry/registry.ts'

/** What a process was started with, beyond its input: captured at the start, immutable, without secrets. */
export interface ProcessEnvironment {
  readonly pluginOptions: { readonly [plugin: string]: Json }
  readonly policy: { readonly [field: string]: Json }
}

export const EMPTY_ENVIRONMENT: ProcessEnvironment = { pluginOptions: {}, policy: {} }

/** Stores the environment under its content address and returns that. */
export async function captureEnvironment(
  registry: ProcessRegistry,
  environment: ProcessEnvironment,
): Promise<string> {
  const ref = environmentRef(environment)
  await registry.putEnv(ref, Buffer.from(canonicalJson(toSpec(environment))))
  return ref
}

export const environmentRef = (environment: ProcessEnvironment): string =>
  `process-env:sha256:${hashJson(toSpec(environment))}`

const toSpec = ({ pluginOptions, policy }: ProcessEnvironment): Json => ({ pluginOptions, policy })

/** Loads what a start captured. Missing and corrupt are told apart, because one asks for a restore and the other for repair. */
export async function loadEnvironment(
  registry: ProcessRegistry,
  process: { readonly id: string; readonly envRef?: string },
): Promise<ProcessEnvironment> {
  const { id, envRef } = process
  if (envRef === undefined) {
    throw new LeaseholdError(
      'process_env_missing',
      `Process "${id}" was registered without a captured environment.`,
      {
        processId: id,
      },
    )
  }
  const bytes = await registry.getEnv(envRef)
  if (bytes === undefined) {
    throw new LeaseholdError(
      'process_env_not_found',
      `The environment ${envRef} of process "${id}" is not in this registry. Restore it from the backup that the process came from.`,
      { processId: id, details: { envRef } },
    )
  }
  const environment = decode(bytes)
  if (environment === undefined || environmentRef(environment) !== envRef) {
    throw new LeaseholdError(
      'process_env_corrupt',
      `The environment ${envRef} of process "${id}" does not match its content address: its bytes were changed.`,
      { processId: id, details: { envRef } },
    )
  }
  return environment
}

function decode(bytes: Uint8Array): ProcessEnvironment | undefined {
  try {
    const spec = JSON.parse(Buffer.from(bytes).toString('utf8'))
    const isSpec = Object.keys(spec).sort().join() === 'pluginOptions,policy'
    return isSpec ? spec : undefined
  } catch {
    return undefined
  }
}
