import { inject } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'
import { borrowSchema, caughtUp, connect, returnSchema } from './postgres-fixtures.ts'

testProcessRegistry({
  name: 'the registry in PostgreSQL',
  async open({ clock }) {
    const options = { connectionString: inject('postgresUrl'), schema: borrowSchema(), clock: clock.now }
    const open = async () => createProcessRegistry(caughtUp(await createPostgresStore(options)))
    let registry = await open()
    return {
      registry,
      async reopen() {
        await registry.close()
        registry = await open()
        return registry
      },
      async damageBlob(hash, damage) {
        const { schema } = options
        const client = await connect(options.connectionString)
        // The references to a blob would keep it.
        await client.query('set session_replication_role = replica')
        await client.query(
          damage === 'remove'
            ? `delete from ${schema}.blobs where hash = $1`
            : `update ${schema}.blobs set text = '1' where hash = $1`,
          [hash],
        )
        await client.end()
      },
      async close() {
        await registry.close()
        await returnSchema(options.schema)
      },
    }
  },
})
