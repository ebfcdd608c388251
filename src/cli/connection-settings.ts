import { Option } from 'commander'
import type { Environment } from './context.ts'
import { given } from './given.ts'
import {
  DEFAULT_TEMPORAL_ADDRESS,
  loadTemporalSettings,
  type TemporalFlags,
  type TemporalSettings,
} from './temporal-settings.ts'

/** The connection flags, each of which a command may or may not have. A flag comes before its variable. */
export interface ConnectionFlags extends TemporalFlags {
  readonly registry?: string
  readonly host?: string
  readonly taskQueue?: string
}

export interface ConnectionSettings {
  /** Where the registry is: by its own address, or as the host module has it. */
  readonly registry?: { readonly type: 'address'; readonly address: string } | RegistryOfHost
  /** The file of the host module, as it was given. */
  readonly host?: string
  /** Read when it is asked for: it may stand in a file that most commands have no use for. */
  readonly temporal: () => Promise<TemporalSettings>
  /** Default: the registry's own. */
  readonly taskQueue?: string
}

interface RegistryOfHost {
  readonly type: 'host'
  readonly file: string
}

export function readConnectionSettings(env: Environment, flags: ConnectionFlags): ConnectionSettings {
  const host = flags.host ?? given(env.LEASEHOLD_HOST)
  const taskQueue = flags.taskQueue ?? given(env.LEASEHOLD_TASK_QUEUE)
  const registry = readRegistry(env, flags)
  return {
    ...(registry === undefined ? {} : { registry }),
    ...(host === undefined ? {} : { host }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
    temporal: () => loadTemporalSettings(env, flags),
  }
}

/** Flags first, and of either the registry's own address first. */
function readRegistry(env: Environment, flags: ConnectionFlags): ConnectionSettings['registry'] {
  for (const [address, file] of [
    [flags.registry, flags.host],
    [given(env.LEASEHOLD_REGISTRY), given(env.LEASEHOLD_HOST)],
  ]) {
    if (address !== undefined) return { type: 'address', address }
    if (file !== undefined) return { type: 'host', file }
  }
  return undefined
}

export const registryOption = () =>
  new Option(
    '--registry <address>',
    'sqlite:PATH or postgres://… (LEASEHOLD_REGISTRY; default: the host module’s)',
  )
export const hostOption = () => new Option('--host <file>', 'the host module (LEASEHOLD_HOST)')
export const temporalOptions = () => [
  new Option(
    '--temporal-address <host:port>',
    `the server (TEMPORAL_ADDRESS; default ${DEFAULT_TEMPORAL_ADDRESS})`,
  ),
  namespaceOption(),
  taskQueueOption(),
  dataConverterOption(),
]
export const namespaceOption = () =>
  new Option('--temporal-namespace <name>', 'its namespace (TEMPORAL_NAMESPACE; default "default")')
export const dataConverterOption = () =>
  new Option(
    '--data-converter <file>',
    'a module with your DataConverter (LEASEHOLD_DATA_CONVERTER; default: Temporal’s)',
  )
export const taskQueueOption = () =>
  new Option('--task-queue <name>', 'the workers’ queue (LEASEHOLD_TASK_QUEUE; default: the registry’s own)')
