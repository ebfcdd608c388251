import { isTransient, LeaseholdError, messageOf } from '../model/errors.ts'
import type { ProcessRecord } from '../model/process.ts'
import { ownSessions } from '../model/session.ts'
import type { SessionScope } from '../model/session-scope.ts'
import {
  type EnvironmentStore,
  loadEnvironment,
  type ProcessEnvironment,
  type SessionPolicy,
} from './environment.ts'
import type { Host } from './host.ts'
import { addListed, type Listing, type PinTools, pinTools } from './listed-tools.ts'
import { isNetworkTrouble } from './network-trouble.ts'
import { PartTable } from './part-table.ts'
import type { PhaseProbe, PhaseProbes } from './phase-probe.ts'
import {
  flattenPlugins,
  type ModelTable,
  type Plugin,
  type PluginMaking,
  type PluginOptions,
  type RuntimeHooks,
  type StopConditionTable,
  type ToolTable,
} from './plugin.ts'

/**
 * What one attempt of one process runs with: made anew for it, from the host module and the captured environment, and
 * disposed of when the attempt ends. Nothing of the session that started the process is in it.
 */
export interface ProcessRuntime {
  /** The runtime's own session, not one of the session store's. */
  readonly sessionId: string
  readonly policy: SessionPolicy
  readonly tools: ToolTable
  readonly models: ModelTable
  readonly stopConditions: StopConditionTable
  /** In the plugins' order. */
  readonly hooks: readonly RuntimeHooks[]
  readonly probe?: PhaseProbe
  /**
   * Present where plugins have tools by a list: gives `tools` those of the lists that `remember` answers with, before any
   * code sees them.
   */
  readonly pinTools?: PinTools
  dispose(): Promise<void>
}

export interface RuntimeParts {
  readonly host: Host
  readonly environments: EnvironmentStore
  readonly probes?: PhaseProbes
}

/** Throws the environment's errors, or `process_runtime_build_failed` with what failed; the signal's reason once it has fired. */
export async function buildRuntime(
  parts: RuntimeParts,
  record: ProcessRecord,
  making: PluginMaking,
): Promise<ProcessRuntime> {
  const { sessionId, environment, label } = await describe(parts, record)
  const assembly = await assembleFor(record, parts.host, { environment, label, making })
  const probe = parts.probes && findProbe(parts.probes, record)
  return { sessionId, policy: environment.policy, ...assembly, ...(probe === undefined ? {} : { probe }) }
}

interface Described {
  readonly sessionId: string
  readonly environment: ProcessEnvironment
  /** What a build failure names. */
  readonly label: string
}

async function describe({ host, environments }: RuntimeParts, record: ProcessRecord): Promise<Described> {
  const { id, input } = record
  if (input.type === 'session_turn') {
    const { policy = host.policy ?? {}, pluginOptions = {} } = input.createRequest
    return {
      sessionId: ownSessions(id).turn,
      environment: { policy: withModelOf(policy, host.policy), pluginOptions },
      label: 'session turn request',
    }
  }
  const environment = await loadEnvironment(environments, record)
  return { sessionId: ownSessions(id).environment, environment, label: record.envRef ?? '' }
}

/** A turn's policy that names no model gets the host's. */
const withModelOf = (policy: SessionPolicy, defaults: SessionPolicy = {}): SessionPolicy =>
  (policy.model ?? '') === '' && defaults.model !== undefined ? { ...policy, model: defaults.model } : policy

async function assembleFor(
  { id }: ProcessRecord,
  host: Host,
  {
    environment,
    label,
    making,
  }: Pick<Described, 'environment' | 'label'> & { readonly making: PluginMaking },
): Promise<Assembly> {
  try {
    return await assemble(host, environment.pluginOptions, making)
  } catch (cause) {
    making.signal.throwIfAborted()
    if (isTransient(cause) || isNetworkTrouble(cause)) throw cause
    throw new LeaseholdError(
      'process_runtime_build_failed',
      `The runtime of process "${id}" could not be built for ${label}: ${messageOf(cause)}.`,
      { processId: id, cause },
    )
  }
}

type Assembly = Pick<ProcessRuntime, 'tools' | 'models' | 'stopConditions' | 'hooks' | 'pinTools' | 'dispose'>

/** The host's own tools and models first, then each plugin's in order; two of one name are refused, for nobody could tell which runs. */
async function assemble(host: Host, options: PluginOptions, making: PluginMaking): Promise<Assembly> {
  const tools = new PartTable<ToolTable[string]>('tool', host.tools)
  const models = new PartTable<ModelTable[string]>('model', host.models)
  const stops = new PartTable<StopConditionTable[string]>('stop condition', host.stopConditions)
  const hooks: RuntimeHooks[] = []
  const listings: Listing[] = []
  const dispose = () => disposeOf(hooks)
  try {
    for (const plugin of flattenPlugins(host.plugins ?? [])) {
      const made = await create(plugin, options, making)
      if (made.hooks !== undefined) hooks.push(made.hooks)
      tools.add(`plugin "${plugin.name}"`, made.tools)
      if (made.listed !== undefined) listings.push(await addListed(tools, plugin.name, made.listed))
      models.add(`plugin "${plugin.name}"`, made.models)
      stops.add(`plugin "${plugin.name}"`, made.stopConditions)
    }
    const stopConditions = stops.entries
    const assembly = { tools: tools.entries, models: models.entries, stopConditions, hooks, dispose }
    return listings.length === 0
      ? assembly
      : { ...assembly, pinTools: remember => pinTools(tools, listings, remember) }
  } catch (error) {
    await dispose().catch(() => {})
    throw error
  }
}

/** The last made first, for it may still use the ones before it; one that fails keeps none of them from it. */
async function disposeOf(hooks: RuntimeHooks[]): Promise<void> {
  const errors: unknown[] = []
  for (let last = hooks.pop(); last !== undefined; last = hooks.pop()) {
    try {
      await last.dispose?.()
    } catch (error) {
      errors.push(error)
    }
  }
  const [first, ...others] = errors
  if (others.length > 0) throw new AggregateError(errors, errors.map(messageOf).join('; '))
  if (first !== undefined) throw first
}

async function create(plugin: Plugin, options: PluginOptions, making: PluginMaking) {
  try {
    const parts = await plugin(Object.hasOwn(options, plugin.name) ? options[plugin.name] : null, making)
    if (typeof parts !== 'object' || parts === null)
      throw new Error('it returned no { tools, models, hooks }')
    return parts
  } catch (cause) {
    if (isTransient(cause)) throw cause
    throw new Error(`plugin "${plugin.name}" failed: ${messageOf(cause)}`, { cause })
  }
}

/** Uses the tools of the environment's runtime where a process is started: plugins are made only where there are any. */
export async function withTools<T>(
  host: Host,
  { pluginOptions }: ProcessEnvironment,
  use: (tools: ToolTable) => Promise<T>,
): Promise<T> {
  const { tools, dispose } = await assembleForHost(host, pluginOptions)
  try {
    return await use(tools)
  } finally {
    await dispose()
  }
}

/** Makes the parts that a start without options of its own would get, to see before the first one whether it can be done. */
export async function tryParts(host: Host): Promise<void> {
  await (await assembleForHost(host, host.pluginOptions ?? {})).dispose()
}

async function assembleForHost(host: Host, options: PluginOptions): Promise<Assembly> {
  try {
    return await assemble(host, options, { signal: new AbortController().signal })
  } catch (cause) {
    if (isTransient(cause) || isNetworkTrouble(cause)) throw cause
    throw new LeaseholdError(
      'host_invalid',
      `The host module cannot be used with these plugin options: ${messageOf(cause)}.`,
      { cause },
    )
  }
}

/** The session that hears of the process, else the one that started it. */
function findProbe(probes: PhaseProbes, { wakeTarget, provenance }: ProcessRecord): PhaseProbe | undefined {
  const { originator } = provenance
  const scope: SessionScope | undefined =
    wakeTarget ?? (originator.type === 'session' ? originator.scope : undefined)
  return probes.find(scope)
}
