import pg from 'pg'
import { inject } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'
import { caughtUp, randomName } from './postgres-fixtures.ts'

const connectionString = inject('postgresUrl')
const observer = new pg.Pool({ connectionString, max: 4 })

testProcessRegistry({
  name: 'the registry in PostgreSQL',
  async open({ clock }) {
    const schema = randomName()
    const open = async () => {
      const store = await createPostgresStore({ connectionString, schema, clock: clock.now })
      return createProcessRegistry(caughtUp(store, observer))
    }
    let registry = await open()
    return {
      registry,
      async reopen() {
        await registry.close()
        registry = await open()
        return registry
      },
      close: () => registry.close(),
    }
  },
})
