import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import type { FrontendAccess } from '../dev-server/frontend.ts'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { Environment } from './context.ts'
import { given } from './given.ts'

export const DEFAULT_TEMPORAL_ADDRESS = '127.0.0.1:7233'
const DEFAULT_NAMESPACE = 'default'

export interface TemporalSettings {
  readonly address: string
  readonly namespace: string
  /** What a connection needs beside the address. Holds keys, so it is never printed. */
  readonly access: FrontendAccess
  /** As the team's own clients and workers have it. */
  readonly dataConverter?: DataConverter
}

export interface TemporalFlags {
  readonly temporalAddress?: string
  readonly temporalNamespace?: string
  readonly dataConverter?: string
}

/**
 * Where the server is and how one gets in: by flags, by Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS_…`), by a profile of its configuration file. Throws `usage` if those cannot be read.
 */
export async function loadTemporalSettings(
  env: Environment,
  { temporalAddress, temporalNamespace, dataConverter }: TemporalFlags,
): Promise<TemporalSettings> {
  const { connectionOptions, namespace } = await loadConfig(env)
  const { address, ...access } = connectionOptions
  return {
    address: temporalAddress ?? address ?? DEFAULT_TEMPORAL_ADDRESS,
    namespace: temporalNamespace ?? namespace ?? DEFAULT_NAMESPACE,
    access: access as FrontendAccess,
    ...(await dataConverterOf(env, dataConverter)),
  }
}

/** The same for a server of our own: it is on loopback and lets in everybody, whatever a configuration says of others. */
export async function loadOwnServerSettings(
  env: Environment,
  { temporalNamespace, dataConverter }: TemporalFlags,
): Promise<Omit<TemporalSettings, 'address'>> {
  const namespace = temporalNamespace ?? given(env.TEMPORAL_NAMESPACE) ?? DEFAULT_NAMESPACE
  return { namespace, access: {}, ...(await dataConverterOf(env, dataConverter)) }
}

/** As `--data-converter` or `LEASEHOLD_DATA_CONVERTER` names it. */
export async function dataConverterOf(
  env: Environment,
  flag: string | undefined,
): Promise<Pick<TemporalSettings, 'dataConverter'>> {
  const file = flag ?? given(env.LEASEHOLD_DATA_CONVERTER)
  return file === undefined ? {} : { dataConverter: await loadDataConverter(file) }
}

async function loadConfig(env: Environment) {
  // Loaded late: commands on the registry alone need no package of Temporal's.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig')
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  )
  try {
    return loadClientConnectConfig({ overrideEnvVars })
  } catch (error) {
    // Its first line alone, and no cause: a parser shows the lines around its trouble, and those may hold a key.
    const [reason] = messageOf(error).split('\n')
    throw new LeaseholdError(
      'usage',
      `Temporal’s configuration cannot be read: ${reason?.replace(/[:.\s]*$/, '')}. Correct the TEMPORAL_… variables, or the file that TEMPORAL_CONFIG_FILE names (default: temporalio/temporal.toml in your configuration folder).`,
    )
  }
}

async function loadDataConverter(file: string): Promise<DataConverter> {
  const path = resolve(file)
  const invalid = (reason: string, cause?: unknown) =>
    new LeaseholdError(
      'usage',
      `The data converter ${path} ${reason}. Name a module whose default export is a DataConverter of Temporal’s by --data-converter or LEASEHOLD_DATA_CONVERTER.`,
      cause === undefined ? {} : { cause },
    )
  if (!existsSync(path)) throw invalid('does not exist')
  const { default: converter } = await import(pathToFileURL(path).href).catch(error => {
    throw invalid(`does not load: ${messageOf(error)}`, error)
  })
  if (typeof converter !== 'object' || converter === null) throw invalid('has no default export')
  return converter
}
