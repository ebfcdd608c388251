/** What the SDK downloads, with server 1.32.0 in it. */
export const DOWNLOADED_CLI_VERSION = 'v1.9.1'

/**
 * What Go builds, with server 1.29.1 in it. It is the last one that can be built from modules alone: later ones take
 * a part of theirs from a folder of their repository, and no version of that part is published.
 */
export const BUILT_CLI_VERSION = 'v1.5.1'

/**
 * The SQLite driver of what Go builds, as server 1.32.0 has it. The one that the CLI's own module names (v1.34.1) never
 * gets out of an interrupted query: a client that goes away in the middle of one can leave the whole server stuck.
 */
export const SQLITE_DRIVER_VERSION = 'v1.51.0'

/** What those Go modules ask for, named in advice to people. */
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
  /** The user's cache folder; made if it is missing. The binary is kept in `<cacheDir>/temporal-cli-<versions>/`. */
  readonly cacheDir: string
  /** Called with a line for people, at once and then every few seconds, while something is fetched, built or waited for. */
  readonly onProgress?: ((line: string) => void) | undefined
  /** Ends the search; a download or build that runs is stopped and its files are removed. */
  readonly signal?: AbortSignal | undefined
}
