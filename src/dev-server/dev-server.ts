import type { FrontendAccess } from './frontend.ts'
import type { FindTemporalServerOptions, TemporalBinarySource } from './temporal-cli.ts'

export interface DevServerOptions extends FindTemporalServerOptions {
  /** How one gets in at the server that `TEMPORAL_ADDRESS` names. @default without TLS or a key */
  readonly access?: FrontendAccess
  /** The frontend's port if it is free; another free one otherwise. @default 7233 */
  readonly preferredPort?: number
  /** Whether to serve Temporal's web UI. @default false */
  readonly ui?: boolean
  /** The UI's port if it is free; another free one otherwise. @default 8233 */
  readonly preferredUiPort?: number
  /** Keeps the server's state in this file. @default in memory, which is also several times as fast */
  readonly dbFilename?: string
  /** Namespaces to create beside `default`. */
  readonly namespaces?: readonly string[]
  /** Further arguments of `temporal server start-dev`, after ours. */
  readonly extraArgs?: readonly string[]
}

export type DevServerSource = TemporalBinarySource | 'TEMPORAL_ADDRESS'

export interface DevServerExit {
  /** True if `stop()` was called before the server ended. */
  readonly expected: boolean
  /** The exit code, 128 + n after signal n; null if it is not known. */
  readonly code: number | null
  /** The first and the last lines of the server's standard error. */
  readonly stderr: string
}

/**
 * A Temporal server for as long as its owner lives.
 *
 * A server that was started here ends with this process, also when that is killed, but never by a Ctrl-C in the
 * terminal: the owner stops it once it has drained. A server named by `TEMPORAL_ADDRESS` is left alone.
 */
export interface DevServer extends AsyncDisposable {
  /** `host:port` of the gRPC frontend. */
  readonly address: string
  /** The web UI's URL; only with `ui: true` and a server that was started here. */
  readonly uiAddress?: string
  readonly source: DevServerSource
  /** The server's process id; only if it was started here. */
  readonly pid?: number
  /** Ends the server and waits for its end. May be called twice, or after the server has ended. */
  stop(): Promise<void>
  /** Settles once the server has ended, by `stop()` or not; never rejects. For `TEMPORAL_ADDRESS`: with `stop()`. */
  readonly exited: Promise<DevServerExit>
}
