import { LeaseholdError } from '../../../model/errors.ts'
import { MIGRATIONS, type Migration } from '../migrations.ts'
import { type Named, prepare } from '../statement.ts'
import type { SqliteConnection } from './connection.ts'

/** "LEAS" in the file's header: tells a registry from any other program's database before anything is written. */
const APPLICATION_ID = 0x4c454153

const selectVersion = prepare(db => db.selectFrom('meta').select('schema_version'))

const updateVersion = prepare((db, p: Named<{ version: number }>) =>
  db.updateTable('meta').set({ schema_version: p.version }),
)

/** The version of the schema in the file, 0 for an empty one. Refuses what is not a registry, or a newer one. */
export function requireKnownVersion(
  connection: SqliteConnection,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): number {
  // One snapshot: another OS process may be creating the registry between these queries.
  const isOwnTransaction = !connection.isTransaction
  if (isOwnTransaction) connection.exec('begin')
  try {
    return readVersion(connection, path, migrations.length)
  } finally {
    if (isOwnTransaction) connection.rollBackIfOpen()
  }
}

function readVersion(connection: SqliteConnection, path: string, known: number): number {
  if (connection.value('pragma application_id') !== APPLICATION_ID) {
    if (connection.value('select count(*) from sqlite_schema') === 0) return 0
    throw new LeaseholdError(
      'registry_corrupt',
      `The database ${path} holds tables of another program and is not a Leasehold registry. Nothing was changed in it. Choose another path.`,
      { details: { path } },
    )
  }
  const found = connection.all(selectVersion, {})[0]?.schema_version ?? 0
  if (found <= known) return found
  throw new LeaseholdError(
    'registry_newer',
    `The registry ${path} has schema version ${found}, written by a newer Leasehold; this one knows versions up to ${known}. Upgrade Leasehold here; nothing was changed.`,
    { details: { path, found, known } },
  )
}

/**
 * Brings the schema up to date: all of it or nothing, under the write lock. Of several OS processes that open a new
 * file at once, one does it and the others find it done, since the version is read inside.
 */
export function migrate(
  connection: SqliteConnection,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  if (requireKnownVersion(connection, path, migrations) === migrations.length) return
  connection.exec('begin immediate')
  try {
    const found = requireKnownVersion(connection, path, migrations)
    for (const migration of migrations.slice(found)) {
      migration.sqlite(sql => connection.exec(sql))
      connection.run(updateVersion, { version: migration.version })
    }
    connection.exec(`pragma application_id = ${APPLICATION_ID}`)
    connection.exec('commit')
  } finally {
    connection.rollBackIfOpen()
  }
}
