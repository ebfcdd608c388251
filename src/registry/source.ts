import type { ProcessRegistry } from './registry.ts'
import { describePostgres } from './sql/postgres/describe.ts'
import type { PostgresStoreOptions } from './sql/postgres-store.ts'
import type { SqliteStoreOptions } from './sql/sqlite-store.ts'
import type { ProcessStore } from './store.ts'

// Stores are loaded as they are opened: nobody loads the driver of a database that he does not use, and a command line
// that is wrong is told so without any.

/** Where a registry is, and how to open it. Opening is up to whoever needs it: a host module can be loaded for nothing. */
export interface RegistrySource {
  /** For people, without secrets: `sqlite:data/leasehold.db`. */
  readonly description: string
  /** `mustExist`: one that was never made is `registry_unavailable` instead of a new, empty registry. Default: made. */
  open(options?: { readonly mustExist?: boolean }): Promise<ProcessRegistry>
}

/** A registry in one SQLite file, which any number of processes of one machine may share. */
export const sqliteRegistry = (options: SqliteStoreOptions): RegistrySource => ({
  description: `sqlite:${options.path}`,
  async open(opening) {
    const { createSqliteStore } = await import('./sql/sqlite-store.ts')
    return registryOn(await createSqliteStore({ ...options, ...opening }))
  },
})

/** A registry in a schema of a PostgreSQL database, which any number of machines may share. */
export const postgresRegistry = (options: PostgresStoreOptions): RegistrySource => ({
  description: describePostgres(options.connectionString, options.schema),
  async open(opening) {
    const { createPostgresStore } = await import('./sql/postgres-store.ts')
    return registryOn(await createPostgresStore({ ...options, ...opening }))
  },
})

async function registryOn(store: ProcessStore): Promise<ProcessRegistry> {
  const { createProcessRegistry } = await import('./registry.ts')
  return createProcessRegistry(store)
}
