import { inject } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'
import { borrowSchema, caughtUp, returnSchema } from './postgres-fixtures.ts'

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
      async close() {
        await registry.close()
        await returnSchema(options.schema)
      },
    }
  },
})
