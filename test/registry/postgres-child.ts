/** What the tests let another OS process do with a registry in PostgreSQL: `node postgres-child.ts ROLE URL SCHEMA`. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import pg from 'pg'
import type { ProcessId } from '../../src/model/ids.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { initial } from '../../src/registry/sql/migrations/0001-initial.ts'
import { openSchema } from '../../src/registry/sql/postgres/migrate.ts'
import { PostgresStatements } from '../../src/registry/sql/postgres/statements.ts'
import { createPostgresStore, type PostgresStoreOptions } from '../../src/registry/sql/postgres-store.ts'
import { registration } from '../../src/testing/registry-suite/fixtures.ts'

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}
const toldToGoOn = (): Promise<unknown> => once(createInterface(process.stdin), 'line')
const hang = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

type Role = (options: PostgresStoreOptions & { readonly schema: string }) => Promise<void>

const ROLES: Record<string, Role> = {
  async 'open and write'(options) {
    say('ready')
    await toldToGoOn()
    const store = await createPostgresStore(options)
    const registry = createProcessRegistry(store)
    await registry.register(registration({ id: `pid ${process.pid}` }))
    await registry.close()
    say(store.registryId)
  },

  async 'hang in the first migration'({ connectionString, schema }) {
    const client = new pg.Client({ connectionString })
    await client.connect()
    const target = { client, schema, statements: new PostgresStatements(schema), description: 'the registry' }
    const hanging = {
      ...initial,
      async postgres(execute: (sql: string) => Promise<void>) {
        await initial.postgres(execute)
        say('migrating')
        hang()
      },
    }
    await openSchema(target, { mustExist: false, migrations: [hanging] })
  },

  /** With the process's row locked, and changed in a way that nobody else sees. */
  async 'hang in a transaction'(options) {
    const store = await createPostgresStore(options)
    const registry = createProcessRegistry(store)
    await registry.register(registration())
    await registry.append('p', { eventType: 'note', payload: 'committed' })
    await store.transaction(function* (tx) {
      const process = yield* tx.loadProcess('p' as ProcessId)
      if (process === undefined) throw new Error('it was registered')
      yield* tx.saveProcess({ ...process, failures: 7 }, { status: 'running' })
      // What is written goes to the server with the next question that waits for its answer.
      yield* tx.nextDue()
      say('writing')
      hang()
    })
  },

  async 'append for ever'(options) {
    const registry = createProcessRegistry(await createPostgresStore(options))
    for (let count = 1; ; count++) {
      await registry.append('p', { eventType: 'note', payload: count })
      say(String(count))
    }
  },
}

const [role = '', connectionString = '', schema = ''] = process.argv.slice(2)
await ROLES[role]?.({ connectionString, schema })
process.exit()
