import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LeaseholdError } from '../../../model/errors.ts'
import { retryWhileBusy } from './busy.ts'
import { SqliteConnection } from './connection.ts'
import { cannotOpen, explain } from './errors.ts'
import { migrate, requireKnownVersion } from './migrate.ts'

/**
 * Of pages that a connection keeps: SQLite's own 2 MB do not hold the inner pages of the indexes of a million rows. They
 * are good for as long as only this connection writes.
 */
const CACHE_KIB = 16_384

/** The absolute path of the file, or an error for what is not one. */
export function requireFilePath(path: string): string {
  if (path !== '' && path !== ':memory:') return resolve(path)
  throw new LeaseholdError(
    'usage',
    `A SQLite registry needs the path of a file; found ${JSON.stringify(path)}. A database in memory cannot be shared by several connections: for a registry that need not last, use the memory store.`,
  )
}

/** Opens the file, making it and its folders where they are missing, and brings its schema up to date. */
export async function openSqlite(
  path: string,
  { lockTimeoutMs, mustExist }: { readonly lockTimeoutMs: number; readonly mustExist: boolean },
): Promise<SqliteConnection> {
  let opened: SqliteConnection | undefined
  try {
    if (mustExist && !existsSync(path)) throw notThere(path)
    makeFolder(path)
    const connection = new SqliteConnection(path)
    opened = connection
    // First, because a file that is not ours must stay as it is, its journal mode included.
    const version = await retryWhileBusy(() => requireKnownVersion(connection, path), lockTimeoutMs)
    if (mustExist && version === 0) throw notThere(path)
    await retryWhileBusy(() => requireWriteAheadLog(connection, path), lockTimeoutMs)
    // Said here because builds of SQLite differ: with NORMAL a power cut may take back the last commits, and with them
    // a lease that was given or a step that was done.
    connection.exec('pragma synchronous = full')
    await retryWhileBusy(() => migrate(connection, path), lockTimeoutMs)
    connection.exec(`pragma cache_size = -${CACHE_KIB}`)
    return connection
  } catch (error) {
    opened?.close()
    throw explain(error, path)
  }
}

const notThere = (path: string): LeaseholdError =>
  new LeaseholdError(
    'registry_unavailable',
    `There is no registry at ${path}. Check the path, and the folder that it is relative to; the first worker or start makes the registry.`,
    { details: { path, isMissing: true } },
  )

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
  } catch (error) {
    throw cannotOpen(error, path)
  }
}

function requireWriteAheadLog(connection: SqliteConnection, path: string): void {
  const mode = connection.value('pragma journal_mode = wal')
  if (mode === 'wal') return
  throw new LeaseholdError(
    'registry_unavailable',
    `The registry ${path} cannot use a write-ahead log (found journal mode "${mode}"): its file system has no shared memory, as on many network drives. Choose a path on a local disk.`,
    { details: { path, mode: String(mode) } },
  )
}
