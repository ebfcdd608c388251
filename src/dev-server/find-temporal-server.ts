import { resolve } from 'node:path'
import { isLeaseholdError, LeaseholdError, messageOf } from '../model/errors.ts'
import { cachedPath, fillCache, findInCache } from './binary-cache.ts'
import { buildCli } from './build-cli.ts'
import { downloadCli } from './download-cli.ts'
import { findOnPath, whyNotExecutable } from './executable.ts'
import {
  type FindTemporalServerOptions,
  GO_VERSION_NEEDED,
  TEMPORAL_CLI_VERSION,
  type TemporalBinary,
} from './temporal-cli.ts'

/** In this order; the first that gives a binary wins, and what the others said is told only if none does. */
const MAKERS = [
  { source: 'download', make: downloadCli },
  { source: 'go', make: buildCli },
] as const

/**
 * Finds a Temporal CLI, or makes one: `TEMPORAL_CLI_PATH`, `temporal` on `PATH`, the cache, the SDK's download,
 * `go install`. A path that was named but cannot be run is an error, never passed over for another.
 */
export async function findTemporalServer(options: FindTemporalServerOptions): Promise<TemporalBinary> {
  const { env, cacheDir, signal } = options
  signal?.throwIfAborted()
  if (env.TEMPORAL_CLI_PATH) return requireNamed(env.TEMPORAL_CLI_PATH)
  const onPath = await findOnPath('temporal', env)
  if (onPath !== undefined) return { path: onPath, source: 'PATH' }
  return (await findInCache(cacheDir)) ?? makeAndCache(options)
}

async function requireNamed(named: string): Promise<TemporalBinary> {
  const path = resolve(named)
  const reason = await whyNotExecutable(path)
  if (reason === undefined) return { path, source: 'TEMPORAL_CLI_PATH' }
  throw new LeaseholdError(
    'temporal_server_missing',
    `TEMPORAL_CLI_PATH must name the executable file of the Temporal CLI, but it is "${named}", and ${reason}. ` +
      'Correct it, or unset it to have the CLI found, downloaded or built.',
    { details: { path } },
  )
}

async function makeAndCache(options: FindTemporalServerOptions): Promise<TemporalBinary> {
  const { cacheDir, signal } = options
  try {
    return await fillCache(options, folder => makeBinary(folder, options))
  } catch (cause) {
    if (isLeaseholdError(cause)) throw cause
    signal?.throwIfAborted()
    throw new LeaseholdError(
      'temporal_server_missing',
      `The Temporal CLI must be put into the cache folder ${cacheDir}, but that failed: ${messageOf(cause)}. ` +
        'Make the folder writable and give it 500 MB, or install the Temporal CLI so that `temporal` is on PATH.',
      { cause, details: { path: cacheDir } },
    )
  }
}

async function makeBinary(folder: string, options: FindTemporalServerOptions): Promise<TemporalBinary> {
  const failures: { source: string; error: unknown }[] = []
  for (const { source, make } of MAKERS) {
    try {
      return { path: await make(folder, options), source }
    } catch (error) {
      options.signal?.throwIfAborted()
      failures.push({ source, error })
    }
  }
  const tried = failures.map(({ source, error }) => `  ${source}: ${messageOf(error)}`)
  throw new LeaseholdError(
    'temporal_server_missing',
    [
      `No Temporal server was found and none could be made (Temporal CLI ${TEMPORAL_CLI_VERSION}). Tried:`,
      '  TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH: not set',
      '  PATH: no `temporal` there',
      `  cache: no ${cachedPath(options.cacheDir)}`,
      ...tried,
      'Do one of these, then run this again:',
      '  install the Temporal CLI so that `temporal` is on PATH: https://docs.temporal.io/cli#install',
      `  install Go ${GO_VERSION_NEEDED} or newer, which builds the CLI once in 3 to 6 minutes: https://go.dev/dl`,
      '  set TEMPORAL_CLI_PATH to a Temporal CLI, or TEMPORAL_ADDRESS to a running server (host:port)',
    ].join('\n'),
    { cause: new AggregateError(failures.map(({ error }) => error)) },
  )
}
