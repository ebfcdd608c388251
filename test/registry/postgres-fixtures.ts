import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { createPostgresStore, type PostgresStoreOptions } from '../../src/registry/sql/postgres-store.ts'
import type { ProcessStore } from '../../src/registry/store.ts'

export const randomName = (): string => `t_${randomBytes(8).toString('hex')}`

/** The address of another database on the same server. */
export function atDatabase(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}

/** A client of its own, closed when the test ends at the latest. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end().catch(() => {}))
  return client
}

/** A new, empty database, dropped when the test ends. */
export async function createDatabase(server = inject('postgresUrl')): Promise<string> {
  const name = randomName()
  const admin = await connect(server)
  await admin.query(`create database ${name}`)
  onTestFinished(async () => {
    const last = new pg.Client({ connectionString: server })
    await last.connect()
    await last.query(`drop database if exists ${name} with (force)`)
    await last.end()
  })
  return atDatabase(server, name)
}

/** A store in a schema of its own, closed when the test ends. */
export async function openPostgres(options: Partial<PostgresStoreOptions> = {}): Promise<ProcessStore> {
  const { connectionString = inject('postgresUrl') } = options
  const isBorrowed = options.schema === undefined && options.connectionString === undefined
  const schema = options.schema ?? (isBorrowed ? borrowSchema() : randomName())
  const store = await createPostgresStore({ ...options, connectionString, schema })
  onTestFinished(async () => {
    await store.close()
    if (isBorrowed) await returnSchema(schema)
  })
  return store
}

const emptySchemas: string[] = []

/** A schema of the shared server: empty, but perhaps with the tables already, whose making is most of what a test costs. */
export const borrowSchema = (): string => emptySchemas.pop() ?? randomName()

/** Empties it for the next test. What is opened there then has the same registry id. */
export async function returnSchema(schema: string): Promise<void> {
  const { rows } = await observer.query(
    // Blobs last: they stay while anything refers to them.
    `select string_agg(format('delete from %I.%I', schemaname, tablename), ';' order by tablename = 'blobs') as statement
     from pg_tables where schemaname = $1 and tablename <> 'meta'`,
    [schema],
  )
  await observer.query(rows[0].statement)
  emptySchemas.push(schema)
}

/**
 * Reads come only when everything that was committed before is in the feed. Other tests write on the same server, and
 * any of their transactions may hold the feed back for a moment; what that does is the subject of tests of its own.
 */
export const caughtUp = (store: ProcessStore): ProcessStore => ({
  ...store,
  async read(body) {
    const { rows } = await observer.query('select pg_snapshot_xmax(pg_current_snapshot()) as seen')
    while (await isBehind(rows[0].seen));
    return store.read(body)
  },
})

const observer = new pg.Pool({ connectionString: inject('postgresUrl'), max: 4, allowExitOnIdle: true })

async function isBehind(seen: string): Promise<boolean> {
  const { rows } = await observer.query(
    'select pg_snapshot_xmin(pg_current_snapshot()) < $1::xid8 as is_behind',
    [seen],
  )
  return rows[0].is_behind
}

/** A schema of the shared server as the address of a registry. */
export function postgresAddress(schema: string): string {
  const address = new URL(inject('postgresUrl'))
  address.searchParams.set('schema', schema)
  return address.href
}
