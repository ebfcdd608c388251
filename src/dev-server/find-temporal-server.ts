import { buildCli } from './build-cli.ts'
import { downloadBySdk } from './download-by-sdk.ts'
import { findOnPath } from './executable.ts'
import { type BinaryRecipe, obtainBinary, requireNamed } from './obtain-binary.ts'
import {
  BUILT_CLI_VERSION,
  DOWNLOADED_CLI_VERSION,
  EXECUTABLE_SUFFIX,
  type FindTemporalServerOptions,
  GO_VERSION_NEEDED,
  SQLITE_DRIVER_VERSION,
  type TemporalBinary,
} from './temporal-cli.ts'

const SDK_DOWNLOAD = {
  server: 'dev-server',
  version: DOWNLOADED_CLI_VERSION,
  title: `Temporal CLI ${DOWNLOADED_CLI_VERSION}`,
} as const

export const TEMPORAL_CLI: BinaryRecipe<'download' | 'go'> = {
  title: 'Temporal CLI',
  // Whichever of the two it is: when one is replaced here, what an earlier version has made is not taken for it.
  folder: `temporal-cli-${DOWNLOADED_CLI_VERSION}-or-${BUILT_CLI_VERSION}-sqlite-${SQLITE_DRIVER_VERSION}`,
  file: `temporal${EXECUTABLE_SUFFIX}`,
  makers: [
    { source: 'download', make: (folder, options) => downloadBySdk(SDK_DOWNLOAD, folder, options) },
    { source: 'go', make: buildCli },
  ],
  lookedAt: ['TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH: not set', 'PATH: no `temporal` there'],
  advice: [
    'install the Temporal CLI so that `temporal` is on PATH: https://docs.temporal.io/cli#install',
    `install Go ${GO_VERSION_NEEDED} or newer, which builds the CLI once in 3 to 6 minutes: https://go.dev/dl`,
    'set TEMPORAL_CLI_PATH to a Temporal CLI, or TEMPORAL_ADDRESS to a running server (host:port)',
  ],
  instead: 'install the Temporal CLI so that `temporal` is on PATH',
}

/**
 * Finds a Temporal CLI, or makes one: `TEMPORAL_CLI_PATH`, `temporal` on `PATH`, the cache, the SDK's download,
 * a build by Go. A path that was named but cannot be run is an error, never passed over for another.
 */
export async function findTemporalServer(options: FindTemporalServerOptions): Promise<TemporalBinary> {
  const { env, signal } = options
  signal?.throwIfAborted()
  if (env.TEMPORAL_CLI_PATH) {
    const path = await requireNamed('TEMPORAL_CLI_PATH', env.TEMPORAL_CLI_PATH, TEMPORAL_CLI)
    return { path, source: 'TEMPORAL_CLI_PATH' }
  }
  const onPath = await findOnPath('temporal', env)
  if (onPath !== undefined) return { path: onPath, source: 'PATH' }
  return obtainBinary(TEMPORAL_CLI, options)
}
