import { sql } from 'kysely'
import pg from 'pg'
import { LeaseholdError } from '../../../model/errors.ts'
import { MIGRATIONS, type Migration } from '../migrations.ts'
import { type Named, prepare, type Statement } from '../statement.ts'
import type { PostgresStatements } from './statements.ts'

/** What a migration works on: one connection, and the schema that is the registry's own. */
export interface PostgresTarget {
  readonly client: pg.Client
  readonly schema: string
  readonly statements: PostgresStatements
  readonly description: string
}

/** Which registry it is, and where: a dump that was restored elsewhere has the same id and another home. */
export interface RegistryIdentity {
  readonly registryId: string
  readonly home: string
}

interface RegistryState extends RegistryIdentity {
  readonly version: number
  /** The positions in it are of another cluster, database or table: it was restored from a dump. */
  readonly isRestored: boolean
}

/** Server versions before 13 have no 64-bit transaction ids. */
const OLDEST_SERVER = 130_000

export const selectState = prepare(db =>
  db.selectFrom('meta').select([
    'schema_version',
    'registry_id',
    'home',
    // A dump never carries these along: the cluster, the database in it, and the table in that.
    sql<string>`(select system_identifier from pg_control_system())
      || '/' || (select oid from pg_database where datname = current_database()) || '/' || tableoid`.as(
      'here',
    ),
  ]),
)

const updateVersion = prepare((db, p: Named<{ version: number }>) =>
  db.updateTable('meta').set({ schema_version: p.version }),
)

const updateHome = prepare((db, p: Named<{ home: string }>) =>
  db.updateTable('meta').set(({ eb }) => ({ home: p.home, restores: eb('restores', '+', 1) })),
)

const firstHome = prepare((db, p: Named<{ home: string }>) => db.updateTable('meta').set({ home: p.home }))

/** Positions from elsewhere may lie above this cluster's numbers, where a reader would wait for them for ever. */
const moveChangesHere = (['processes', 'tombstones'] as const).map(table =>
  prepare(db => db.updateTable(table).set({ change_seq: sql<number>`pg_current_xact_id()::text::bigint` })),
)

/**
 * Brings the schema up to date, all of it or nothing, and returns which registry it is. Of several OS processes that open
 * an empty database at once, one makes it and the others find it made. `undefined`: there is none, and it must exist.
 */
export async function openSchema(
  target: PostgresTarget,
  { mustExist, migrations = MIGRATIONS }: { mustExist: boolean; migrations?: readonly Migration[] },
): Promise<RegistryIdentity | undefined> {
  const found = await readState(target, migrations.length)
  if (found === undefined && mustExist) return undefined
  // The usual case takes no lock.
  if (found?.version === migrations.length && !found.isRestored) return found
  return await migrate(target, migrations)
}

async function migrate(target: PostgresTarget, migrations: readonly Migration[]): Promise<RegistryIdentity> {
  const { client, schema } = target
  await requireServer(target)
  await client.query('begin')
  try {
    // However long the migration of another OS process takes: this one has nothing else to do.
    await client.query('set local lock_timeout = 0')
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`leasehold:${schema}`])
    const name = pg.escapeIdentifier(schema)
    // Not `create schema if not exists`: that wants the right to make one even where it exists.
    if (!(await isThere(client, 'to_regnamespace', name))) await client.query(`create schema ${name}`)
    await client.query(`set local search_path to ${name}`)
    const found = await readState(target, migrations.length)
    for (const migration of migrations.slice(found?.version ?? 0)) {
      await migration.postgres(async sql => {
        await client.query(sql)
      })
      await run(target, updateVersion, { version: migration.version })
    }
    const identity = await settleHome(target, found)
    await client.query('commit')
    return identity
  } catch (error) {
    // A connection that is gone has rolled back by itself.
    await client.query('rollback').catch(() => {})
    throw error
  }
}

async function settleHome(
  target: PostgresTarget,
  found: RegistryState | undefined,
): Promise<RegistryIdentity> {
  const [meta] = await run(target, selectState, {})
  if (meta === undefined) throw new LeaseholdError('registry_corrupt', emptyMeta(target.description))
  if (found === undefined) await run(target, firstHome, { home: meta.here })
  else if (found.isRestored) {
    for (const move of moveChangesHere) await run(target, move, {})
    await run(target, updateHome, { home: meta.here })
  }
  return { registryId: meta.registry_id, home: meta.here }
}

async function readState(target: PostgresTarget, known: number): Promise<RegistryState | undefined> {
  const { client, schema, description } = target
  if (!(await isThere(client, 'to_regclass', `${pg.escapeIdentifier(schema)}.meta`))) return undefined
  const [meta] = await run(target, selectState, {})
  if (meta === undefined) throw new LeaseholdError('registry_corrupt', emptyMeta(description))
  const version = meta.schema_version
  if (version > known) {
    throw new LeaseholdError(
      'registry_newer',
      `The registry ${description} has schema version ${version}, written by a newer Leasehold; this one knows versions up to ${known}. Upgrade Leasehold here; nothing was changed.`,
      { details: { registry: description, found: version, known } },
    )
  }
  const { registry_id: registryId, home, here } = meta
  return { version, registryId, home: here, isRestored: home !== here }
}

const emptyMeta = (description: string): string =>
  `The registry ${description} has lost its own id: its table "meta" is empty. Restore a backup.`

async function requireServer({ client, description }: PostgresTarget): Promise<void> {
  const { rows } = await client.query('show server_version_num')
  const version = Number(rows[0]?.server_version_num)
  if (version >= OLDEST_SERVER) return
  throw new LeaseholdError(
    'registry_unavailable',
    `The registry ${description} needs PostgreSQL 13 or newer; the server is version ${Math.floor(version / 10_000)}.`,
    { details: { registry: description, version } },
  )
}

async function isThere(
  client: pg.Client,
  lookup: 'to_regclass' | 'to_regnamespace',
  name: string,
): Promise<boolean> {
  const { rows } = await client.query(`select ${lookup}($1) is not null as is_there`, [name])
  return rows[0]?.is_there === true
}

async function run<Params, Row>(
  { client, statements }: PostgresTarget,
  statement: Statement<Params, Row>,
  params: Params,
): Promise<Row[]> {
  const { text, bind } = statements.get(statement)
  const { rows } = await client.query(text, bind(params as object))
  return rows
}
