import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { asStoreError } from './errors.ts'
import { fromText } from './text.ts'

/** Passed on to `pg`, by its names. */
export interface PostgresPoolOptions {
  /** Connections of this OS process, beside the one for notices. Default: 10. */
  readonly max?: number
  readonly min?: number
  /** How long a connection may be idle before it is closed. Default: 10 000. */
  readonly idleTimeoutMillis?: number
  /** Default: for ever. */
  readonly maxLifetimeSeconds?: number
  /** As the server's pg_stat_activity shows it. Default: `leasehold`. */
  readonly application_name?: string
}

export interface PostgresAddress {
  readonly connectionString: string
  /** TLS, where the connection string's `sslmode` does not say it: `true`, or the options of `node:tls`. */
  readonly ssl?: boolean | ConnectionOptions
  readonly pool?: PostgresPoolOptions
  readonly lockTimeoutMs: number
}

/**
 * A client that stops between its locks and its commit (a frozen process, a cable pulled) must not keep its rows from
 * those who take over: the server ends it, before they give up. An event loop that was only blocked tries again.
 */
const IDLE_IN_TRANSACTION_MS = 5_000

/** Numbers are milliseconds, counters and transaction ids: all far below 2^53. */
export const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return Number
    if (oid === pg.types.builtins.TEXT) return fromText
    const parse = pg.types.getTypeParser(oid, format)
    return oid === pg.types.builtins.BYTEA ? (value: string) => Uint8Array.from(parse(value)) : parse
  },
}

function clientConfig({ connectionString, ssl, pool, lockTimeoutMs }: PostgresAddress) {
  return {
    ...pool,
    connectionString,
    ...(ssl === undefined ? {} : { ssl }),
    application_name: pool?.application_name ?? 'leasehold',
    connectionTimeoutMillis: lockTimeoutMs,
    // Nobody waits for a reader's `commit`: the connection's next queries go behind it.
    pipeline: true,
    keepAlive: true,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types,
  }
}

/** The connections that transactions take turns on. */
export function createPool(address: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(address),
    // The server answers a lock's timeout itself; this is for one that answers nothing any more.
    query_timeout: address.lockTimeoutMs + 5_000,
  })
  // A lost connection is met by whoever uses it next; without a listener it would end this OS process.
  const ignore = (): void => {}
  pool.on('error', ignore)
  pool.on('connect', client => client.on('error', ignore))
  return pool
}

/** One connection of its own, connected; for migrations, which may take their time, and for notices. */
export async function connectClient(address: PostgresAddress): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(address))
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    throw asStoreError(error)
  }
}
