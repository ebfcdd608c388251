import { Option } from 'commander'
import type { Environment } from './context.ts'

export const DEFAULT_TEMPORAL_ADDRESS = '127.0.0.1:7233'

/** The connection flags, each of which a command may or may not have. A flag comes before its variable. */
export interface ConnectionFlags {
  readonly registry?: string
  readonly host?: string
  readonly temporalAddress?: string
  readonly temporalNamespace?: string
  readonly taskQueue?: string
}

export interface TemporalSettings {
  readonly address: string
  readonly namespace: string
}

export interface ConnectionSettings {
  /** Where the registry is: by its own address, or as the host module has it. */
  readonly registry?: { readonly type: 'address'; readonly address: string } | RegistryOfHost
  /** The file of the host module, as it was given. */
  readonly host?: string
  readonly temporal: TemporalSettings
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
    temporal: {
      address: flags.temporalAddress ?? given(env.TEMPORAL_ADDRESS) ?? DEFAULT_TEMPORAL_ADDRESS,
      namespace: flags.temporalNamespace ?? given(env.TEMPORAL_NAMESPACE) ?? 'default',
    },
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

/** A variable that is set to nothing is not set. */
const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

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
]
export const namespaceOption = () =>
  new Option('--temporal-namespace <name>', 'its namespace (TEMPORAL_NAMESPACE; default "default")')
export const taskQueueOption = () =>
  new Option('--task-queue <name>', 'the workers’ queue (LEASEHOLD_TASK_QUEUE; default: the registry’s own)')
