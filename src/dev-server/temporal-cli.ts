/**
 * The one version that is downloaded, built and cached. It is the last one that `go install` accepts:
 * later modules carry a replace directive. The cache is keyed by it, so that a new number means a new file.
 */
export const TEMPORAL_CLI_VERSION = 'v1.5.1'

/** What the Go module of this version asks for, named in advice to people. */
export const GO_VERSION_NEEDED = '1.25'

export const EXECUTABLE_SUFFIX = process.platform === 'win32' ? '.exe' : ''

/** An environment as it is handed in: nothing below reads the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where a binary came from, in the order in which the places are tried. */
export type TemporalBinarySource = 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'go'

/** An executable Temporal CLI: `temporal server start-dev` is the dev server. */
export interface TemporalBinary {
  readonly path: string
  readonly source: TemporalBinarySource
}

export interface FindTemporalServerOptions {
  /** Read for `TEMPORAL_CLI_PATH` and `PATH`, and given to every child process (proxies, Go's settings). */
  readonly env: Environment
  /** The user's cache folder; made if it is missing. The binary is kept in `<cacheDir>/temporal-cli-<version>/`. */
  readonly cacheDir: string
  /** Called with a line for people, at once and then every few seconds, while something is fetched, built or waited for. */
  readonly onProgress?: ((line: string) => void) | undefined
  /** Ends the search; a download or build that runs is stopped and its files are removed. */
  readonly signal?: AbortSignal | undefined
}
