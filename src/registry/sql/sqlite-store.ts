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
  const connection = await openSqlite(path, { lockTimeoutMs, mustExist })
  const registryId = connection.all(selectRegistryId, {})[0]?.registry_id ?? ''
  const counter = new ChangeCounter()
  const platform = createSqlitePlatform({ registryId, clock, changes: counter })
  const session = createSqliteSession(connection)
  const tx = createSqlTransaction(session, platform)
  const snapshot = createSqlReader(session, platform)
  const changes = new ChangeWatch(connection)
  const commits = new GroupCommit(connection, {
    lockTimeoutMs,
    onBegin() {
      counter.begin(connection.value('pragma data_version'))
      session.withoutWaits.clear()
    },
    onForget() {
      counter.reset()
      session.withoutWaits.clear()
    },
    onCommit() {
      counter.committed()
      changes.announce(counter.changes)
    },
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
    connection.close()
  }

  return {
    registryId,
    durabilityTier: 'durable',
    isOfOneMachine: true,
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
      const run = () =>
        retryWhileBusy(() => inSnapshot(connection, () => runSynchronously(body(snapshot))), lockTimeoutMs)
      // Asked for by the body of a transaction, it comes after that one: it sees what is committed.
      const reading = connection.isTransaction ? nextTurn().then(run) : run()
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

const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

/**
 * A deferred transaction: it sees one state of the database, and takes no lock that a writer could hold. On the connection
 * that writes, which is never in a transaction between turns: what it has just written is in its cache, and another
 * connection would forget its own at each of these commits.
 */
function inSnapshot<T>(connection: SqliteConnection, run: () => T): T {
  connection.frame('begin')
  try {
    return run()
  } finally {
    connection.rollBackIfOpen()
  }
}
