/** What the tests let another OS process do with a registry file: `node child.ts ROLE PATH`. It says each step in a line. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { WorkerRow } from '../../src/model/worker-row.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { initial } from '../../src/registry/sql/migrations/0001-initial.ts'
import { SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { migrate } from '../../src/registry/sql/sqlite/migrate.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { registration } from '../../src/testing/registry-suite/fixtures.ts'
import { replaceLargeRows, writeLargeRow } from './large-rows.ts'

/** Synchronously, so that a line is out before the process hangs or is killed. */
const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}
const toldToGoOn = (): Promise<unknown> => once(createInterface(process.stdin), 'line')
const hang = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
const workerRow = (name: string): WorkerRow => ({
  worker: {
    ownerId: name,
    incarnationId: name,
    liveness: { kind: 'local_process', hostId: 'host', bootId: 'boot', pid: 7, processStart: '1' },
  },
  startedAtMs: 0,
  lastSeenMs: 0,
})

const ROLES: Record<string, (path: string) => Promise<void>> = {
  async 'hold the write lock'(path) {
    const database = new DatabaseSync(path)
    database.exec('begin immediate')
    say('holding')
    await toldToGoOn()
    database.exec('commit')
    database.close()
    say('released')
  },

  async 'open and write'(path) {
    say('ready')
    await toldToGoOn()
    await using store = Object.assign(await createSqliteStore({ path }), {
      [Symbol.asyncDispose]: () => store.close(),
    })
    await store.transaction(tx => tx.saveWorker(workerRow(`pid ${process.pid}`)))
    say(store.registryId)
  },

  async 'hang in the first migration'(path) {
    const connection = new SqliteConnection(path)
    connection.exec('pragma journal_mode = wal')
    const hanging = {
      ...initial,
      sqlite: (execute: (sql: string) => void) => {
        initial.sqlite(execute)
        say('migrating')
        hang()
      },
    }
    migrate(connection, path, [hanging])
  },

  async 'hang in a transaction'(path) {
    const store = await createSqliteStore({ path })
    await store.transaction(tx => tx.saveWorker(workerRow('committed')))
    await store.transaction(function* (tx) {
      yield* tx.saveWorker(workerRow('uncommitted'))
      // Larger than SQLite's cache, so that some of it is already in the log when the process is killed.
      yield* tx.insertEnv('uncommitted', new Uint8Array(20_000_000))
      say('writing')
      hang()
    })
  },

  async 'write for ever'(path) {
    const store = await createSqliteStore({ path })
    for (let count = 1; ; count++) {
      await store.transaction(tx => tx.saveWorker(workerRow(String(count))))
      say(String(count))
    }
  },

  async 'append for ever'(path) {
    const registry = createProcessRegistry(await createSqliteStore({ path }))
    await registry.register(registration())
    for (let count = 1; ; count++) {
      await registry.append('p', { eventType: 'note', payload: count })
      say(String(count))
    }
  },

  /** Through the registry's own door: appends that share a commit, one of which is larger than what is left. */
  async 'fill the disk together'(path) {
    const registry = createProcessRegistry(await createSqliteStore({ path }))
    for (const id of ['small', 'large']) await registry.register(registration({ id }))
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        index === 4
          ? registry.append('large', { eventType: 'note', payload: 'x'.repeat(2_000_000) })
          : registry.append('small', { eventType: 'note', payload: index }),
      ),
    )
    say(settled.map(result => (result.status === 'fulfilled' ? 'done' : result.reason.code)).join(' '))
    for (const id of ['small', 'large']) {
      say(
        (await registry.eventsAfter(id, 0))
          .map(({ sequence, payload }) => `${sequence}:${payload}`)
          .join(' '),
      )
    }
    const { event } = await registry.append('large', { eventType: 'note', payload: 'fits' })
    say(String(event.sequence))
  },

  /** Each row takes the place of the one before it, so that what it held is soon referred to by nobody. */
  async 'write large payloads and delete them'(path) {
    const store = await createSqliteStore({ path })
    const letters = await replaceLargeRows(store, `pid ${process.pid}`, { rounds: 100, first: process.pid })
    await store.close()
    say(letters)
  },

  async 'write large payloads for ever'(path) {
    const store = await createSqliteStore({ path })
    const registry = createProcessRegistry(store)
    for (let count = 1; ; count++) {
      await writeLargeRow(registry, `row ${count}`, `${count} `)
      say(String(count))
    }
  },

  async 'fill the disk'(path) {
    const store = await createSqliteStore({ path })
    await store.transaction(tx => tx.saveWorker(workerRow('kept')))
    const refused = await store
      .transaction(tx => tx.insertEnv('large', new Uint8Array(2_000_000)))
      .catch(error => error)
    say(refused.code)
    for (const { worker } of await store.read(tx => tx.listWorkers('host'))) say(worker.ownerId)
    await store.transaction(tx => tx.saveWorker(workerRow('small')))
    say('written again')
  },

  /** Permissions do not bind root. Dropped here, after loading, because a checkout may be readable by root alone. */
  async 'try to write as nobody'(path) {
    if (process.getuid?.() === 0) {
      process.setgid?.(65_534)
      process.setuid?.(65_534)
    }
    try {
      const store = await createSqliteStore({ path })
      await store.transaction(tx => tx.saveWorker(workerRow('written')))
      await store.close()
      say('written')
    } catch (error) {
      const { code, message } = error as Error & { code: string }
      say(JSON.stringify({ code, message }))
    }
  },
}

const [role = '', path = ''] = process.argv.slice(2)
await ROLES[role]?.(path)
process.exit()
