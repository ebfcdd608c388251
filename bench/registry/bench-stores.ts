import { join } from 'node:path'
import { postgresRegistry, sqliteRegistry } from '../../src/index.ts'
import type { RegistrySource } from '../../src/registry/source.ts'
import { startPostgres } from '../../test/support/start-postgres.ts'
import type { Row } from '../support/bench.ts'

/** As many connections as the callers of a bench at most. */
const CONNECTIONS = 16

/** The two databases that a registry can be in; each name is a registry of its own. */
export interface BenchStores extends AsyncDisposable {
  /** Of a PostgreSQL that flushes each commit, as users run it. */
  readonly postgresUrl: string
  sqlitePath(name: string): string
  sqlite(name: string): RegistrySource
  postgres(name: string): RegistrySource
}

export type RegistryMeasure = (stores: BenchStores) => Promise<readonly Row[]>

export async function openBenchStores(folder: string): Promise<BenchStores> {
  const server = await startPostgres({ isDurable: true })
  const sqlitePath = (name: string) => join(folder, `${name}.db`)
  return {
    postgresUrl: server.url,
    sqlitePath,
    sqlite: name => sqliteRegistry({ path: sqlitePath(name) }),
    postgres: name =>
      postgresRegistry({ connectionString: server.url, schema: name, pool: { max: CONNECTIONS } }),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}
