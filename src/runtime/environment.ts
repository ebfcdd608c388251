import { isLeaseholdError, LeaseholdError } from '../model/errors.ts'
import { canonicalJson, hashJson, type Json, toJson } from '../model/json.ts'
import { findSecret } from '../model/secret.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { TieredStore } from './durability.ts'
import { flattenPlugins, type PluginOptions, type PluginStack } from './plugin.ts'
import { parseInput } from './schema.ts'

/** How a session of agents behaves: fields of the host's own choosing, and those that turns know (`TurnPolicy`). */
export type SessionPolicy = { readonly [field: string]: Json }

/** What a process was started with, beyond its input: captured at the start, immutable, without secrets. */
export interface ProcessEnvironment {
  readonly pluginOptions: PluginOptions
  readonly policy: SessionPolicy
}

export const EMPTY_ENVIRONMENT: ProcessEnvironment = { pluginOptions: {}, policy: {} }

/** Where captured environments are kept, by content address. The default is the registry. */
export interface EnvironmentStore extends TieredStore {
  /** Content-addressed: an existing ref stays as it is. */
  put(ref: string, bytes: Uint8Array): Promise<void>
  get(ref: string): Promise<Uint8Array | undefined>
}

export const registryEnvironments = (registry: ProcessRegistry): EnvironmentStore => ({
  durabilityTier: registry.durabilityTier,
  put: (ref, bytes) => registry.putEnv(ref, bytes),
  get: ref => registry.getEnv(ref),
})

/** How many of them a worker remembers: most processes of a host share one. */
const REMEMBERED = 100

/** The same for a worker, which reads one for each attempt. Their address is their content, so what was read stays right. */
export function rememberedEnvironments(store: EnvironmentStore): EnvironmentStore {
  const known = new Map<string, Uint8Array>()
  const { durabilityTier } = store
  return {
    ...(durabilityTier === undefined ? {} : { durabilityTier }),
    put: (ref, bytes) => store.put(ref, bytes),
    async get(ref) {
      const found = known.get(ref) ?? (await store.get(ref))
      if (found === undefined) return undefined
      if (known.size >= REMEMBERED) known.clear()
      known.set(ref, found)
      return found
    },
  }
}

/** No longer than this: the registry may be put back to what it was before. */
const PUT_REMEMBERED_MS = 1_000

/** The same for whoever starts many processes with one environment: what was put just now is there. */
export function sparinglyPut(store: EnvironmentStore): EnvironmentStore {
  let last: { readonly ref: string; readonly untilMs: number } | undefined
  const { durabilityTier } = store
  return {
    ...(durabilityTier === undefined ? {} : { durabilityTier }),
    async put(ref, bytes) {
      if (last?.ref === ref && performance.now() < last.untilMs) return
      const untilMs = performance.now() + PUT_REMEMBERED_MS
      await store.put(ref, bytes)
      last = { ref, untilMs }
    },
    get: ref => store.get(ref),
  }
}

/** What of the host module makes environments. */
export interface EnvironmentDefaults {
  readonly plugins?: PluginStack
  readonly pluginOptions?: PluginOptions
  readonly policy?: SessionPolicy
}

const FIELDS: ReadonlySet<string> = new Set(['pluginOptions', 'policy'])

/**
 * The environment that a start asks for: each half it leaves out is the host's own. Throws `process_env_invalid` for an
 * unknown field, a plugin that the host has not, or options that do not fit; `process_env_secret` for what must not be
 * stored, with the path and without the value.
 */
export async function prepareEnvironment(
  { plugins = [], pluginOptions = {}, policy = {} }: EnvironmentDefaults,
  asked: Partial<ProcessEnvironment> = {},
): Promise<ProcessEnvironment> {
  const unknown = Object.keys(asked).find(field => !FIELDS.has(field))
  if (unknown !== undefined)
    throw invalid(`has a field "${unknown}"; it has pluginOptions and policy, and no others`)
  const given = { pluginOptions: asked.pluginOptions ?? pluginOptions, policy: asked.policy ?? policy }
  for (const field of ['pluginOptions', 'policy'] as const) {
    if (typeof given[field] !== 'object' || given[field] === null || Array.isArray(given[field]))
      throw invalid(`has ${field} that are no object`)
  }
  requireNoSecret(given)
  const stored = {
    policy: toStored('policy', given.policy),
    pluginOptions: toStored('pluginOptions', given.pluginOptions),
  }
  return { ...stored, pluginOptions: await checkOptions(flattenPlugins(plugins), stored.pluginOptions) }
}

function toStored(field: string, value: unknown): { readonly [name: string]: Json } {
  const stored = toJson(value)
  if (stored.ok) return stored.json as { readonly [name: string]: Json }
  throw invalid(`must be plain JSON; found ${stored.found} at ${field}.${stored.path}`)
}

async function checkOptions(
  plugins: ReturnType<typeof flattenPlugins>,
  options: PluginOptions,
): Promise<PluginOptions> {
  const checked: Record<string, Json> = { ...options }
  for (const name of Object.keys(options)) {
    if (plugins.some(plugin => plugin.name === name)) continue
    const known = plugins.map(plugin => plugin.name).join(', ') || 'none'
    throw invalid(`has options for plugin "${name}", which the host does not have. It has: ${known}`)
  }
  for (const { name, options: schema } of plugins) {
    if (schema === undefined) continue
    try {
      checked[name] = await parseInput(`plugin "${name}"`, schema, options[name] ?? null)
    } catch (error) {
      if (!isLeaseholdError(error)) throw error
      throw invalid(`does not fit: ${error.message.replace(/\.$/, '')}`)
    }
  }
  // What a schema made of the options is stored, so it is looked at as well.
  requireNoSecret({ pluginOptions: checked })
  return checked
}

/** Throws `process_env_secret`. */
export function requireNoSecret(value: unknown): void {
  const found = findSecret(value)
  if (found === undefined) return
  throw new LeaseholdError(
    'process_env_secret',
    `The environment holds what must not be stored: the value at ${found.path} ${found.why}. Let the host's module or its plugin read it where it runs, and store no more than where to find it.`,
    { details: { path: found.path } },
  )
}

const invalid = (problem: string): LeaseholdError =>
  new LeaseholdError('process_env_invalid', `The environment ${problem}.`)

/** Stores the environment under its content address and returns that. */
export async function captureEnvironment(
  store: EnvironmentStore,
  environment: ProcessEnvironment,
): Promise<string> {
  const ref = environmentRef(environment)
  await store.put(ref, Buffer.from(canonicalJson(toSpec(environment))))
  return ref
}

export const environmentRef = (environment: ProcessEnvironment): string =>
  `process-env:sha256:${hashJson(toSpec(environment))}`

const toSpec = ({ pluginOptions, policy }: ProcessEnvironment): Json => ({ pluginOptions, policy })

/** Loads what a start captured. Missing and corrupt are told apart, because one asks for a restore and the other for repair. */
export async function loadEnvironment(
  store: EnvironmentStore,
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
  const bytes = await store.get(envRef)
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
