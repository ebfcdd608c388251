import { downloadBySdk } from './download-by-sdk.ts'
import { fetchTestServer } from './fetch-test-server.ts'
import { type BinaryRecipe, obtainBinary, requireNamed } from './obtain-binary.ts'
import { EXECUTABLE_SUFFIX, type FindTemporalServerOptions } from './temporal-cli.ts'
import { JAVA_VERSION_NEEDED, TEST_SERVER_VERSION } from './test-server-version.ts'

/** Where a test server came from, in the order in which the places are tried. */
export type TestServerSource = 'TEMPORAL_TEST_SERVER_PATH' | 'cache' | 'download' | 'maven'

/** An executable of Temporal's time-skipping test server; its argument is the port. */
export interface TestServerBinary {
  readonly path: string
  readonly source: TestServerSource
}

const SDK_DOWNLOAD = {
  server: 'time-skipping',
  version: `v${TEST_SERVER_VERSION}`,
  title: `Temporal test server ${TEST_SERVER_VERSION}`,
} as const

export const TEST_SERVER: BinaryRecipe<'download' | 'maven'> = {
  title: SDK_DOWNLOAD.title,
  folder: `temporal-test-server-${TEST_SERVER_VERSION}`,
  file: `temporal-test-server${EXECUTABLE_SUFFIX}`,
  makers: [
    { source: 'download', make: (folder, options) => downloadBySdk(SDK_DOWNLOAD, folder, options) },
    { source: 'maven', make: fetchTestServer },
  ],
  lookedAt: ['TEMPORAL_TEST_SERVER_PATH: not set'],
  advice: [
    `install Java ${JAVA_VERSION_NEEDED} or newer and Maven, which fetches the server once: https://maven.apache.org/install.html`,
    'set TEMPORAL_TEST_SERVER_PATH to the executable of a test server: https://github.com/temporalio/sdk-java/releases',
  ],
  instead: 'set TEMPORAL_TEST_SERVER_PATH to the executable of a test server',
}

/**
 * Finds Temporal's time-skipping test server, or makes one: `TEMPORAL_TEST_SERVER_PATH`, the cache, the SDK's download,
 * Maven. A path that was named but cannot be run is an error, never passed over for another.
 */
export async function findTestServer(options: FindTemporalServerOptions): Promise<TestServerBinary> {
  const { env, signal } = options
  signal?.throwIfAborted()
  if (!env.TEMPORAL_TEST_SERVER_PATH) return obtainBinary(TEST_SERVER, options)
  const path = await requireNamed('TEMPORAL_TEST_SERVER_PATH', env.TEMPORAL_TEST_SERVER_PATH, TEST_SERVER)
  return { path, source: 'TEMPORAL_TEST_SERVER_PATH' }
}
