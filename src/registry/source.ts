import { createProcessRegistry, type ProcessRegistry } from './registry.ts'
import { describePostgres } from './sql/postgres/describe.ts'
import { createPostgresStore, type PostgresStoreOptions } from './sql/postgres-store.ts'
import { createSqliteStore, type SqliteStoreOptions } from './sql/sqlite-store.ts'

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
  open: async opening => createProcessRegistry(await createSqliteStore({ ...options, ...opening })),
})

/** A registry in a schema of a PostgreSQL database, which any number of machines may share. */
export const postgresRegistry = (options: PostgresStoreOptions): RegistrySource => ({
  description: describePostgres(options.connectionString, options.schema),
  open: async opening => createProcessRegistry(await createPostgresStore({ ...options, ...opening })),
})
