import { LeaseholdError } from '../../model/errors.ts'
import { runSynchronously } from '../operation.ts'
import type { ProcessStore } from '../store.ts'
import { retryWhileBusy } from './sqlite/busy.ts'
import { ChangeWatch } from './sqlite/change-watch.ts'
import type { SqliteConnection } from './sqlite/connection.ts'
import { explain } from './sqlite/errors.ts'
import { GroupCommit } from './sqlite/group-commit.ts'
import { openSqlite, requireFilePath } from './sqlite/open.ts'
import { ChangeCounter, createSqlitePlatform } from './sqlite/platform.ts'
import { createSqliteSession } from './sqlite/session.ts'
import { prepare } from './statement.ts'
import { createSqlReader, createSqlTransaction } from './verbs.ts'

export interface SqliteStoreOptions {
  /** The file; it and its folders are made where they are missing. */
  readonly path: string
  /** Milliseconds since the epoch. Default: the machine's clock, which all that share a file must share. */
  readonly clock?: () => number
  /** How long to wait for a lock that another OS process holds, before `registry_locked`. Default: 10 000. */
  readonly lockTimeoutMs?: number
  /** For whoever only looks: a registry that is not there yet is an error, and no file is made. Default: false. */
  readonly mustExist?: boolean
}

const selectRegistryId = prepare(db => db.selectFrom('meta').select('registry_id'))

/** A registry in one file, which several OS processes of one machine may share. */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<ProcessStore> {
  const { clock = Date.now, lockTimeoutMs = 10_000, mustExist = false } = options
  const path = requireFilePath(options.path)
  const { writer, reader } = await openSqlite(path, { lockTimeoutMs, mustExist })
  const registryId = writer.all(selectRegistryId, {})[0]?.registry_id ?? ''
  const counter = new ChangeCounter()
  const platform = createSqlitePlatform({ registryId, clock, changes: counter })
  const session = createSqliteSession(writer)
  const tx = createSqlTransaction(session, platform)
  const snapshot = createSqlReader(createSqliteSession(reader), platform)
  const changes = new ChangeWatch(writer)
  const commits = new GroupCommit(writer, {
    lockTimeoutMs,
    onBegin() {
      counter.begin()
      session.withoutWaits.clear()
    },
    onForget() {
      counter.reset()
      session.withoutWaits.clear()
    },
    onCommit: () => changes.announce(counter.changes),
  })
  const reads = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const requireOpen = (): void => {
    if (closing === undefined) return
    throw new LeaseholdError('registry_closed', `The registry ${path} was closed. Open it again.`, {
      details: { path },
    })
  }

  async function close(): Promise<void> {
    changes.stop()
    await Promise.allSettled(reads)
    await commits.idle()
    // The writer last: the last connection moves the log into the file, which one that only reads cannot.
    for (const connection of [reader, writer]) connection.close()
  }

  return {
    registryId,
    durabilityTier: 'durable',
    async transaction(body) {
      requireOpen()
      try {
        return await commits.submit(() => runSynchronously(body(tx)))
      } catch (error) {
        throw explain(error, path)
      }
    },
    async read(body) {
      requireOpen()
      const reading = retryWhileBusy(
        () => inSnapshot(reader, () => runSynchronously(body(snapshot))),
        lockTimeoutMs,
      )
      reads.add(reading)
      try {
        return await reading
      } catch (error) {
        throw explain(error, path)
      } finally {
        reads.delete(reading)
      }
    },
    watch(listener, { everyMs }) {
      requireOpen()
      return changes.watch(listener, everyMs)
    },
    close: () => (closing ??= close()),
  }
}

/** A deferred transaction: it sees one state of the database, and takes no lock that a writer could hold. */
function inSnapshot<T>(connection: SqliteConnection, run: () => T): T {
  connection.frame('begin')
  try {
    return run()
  } finally {
    connection.rollBackIfOpen()
  }
}
