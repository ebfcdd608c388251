import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { ProcessRegistry } from '../../src/registry/registry.ts'
import type { BenchStores } from './bench-stores.ts'
import { beginAttempt, NOTE, prepareRegistry, registration } from './processes.ts'

/** One row of ten is live; the others have ended. */
export const LIVE_SHARE = 10

export const idAt = (index: number): string => `p${String(index).padStart(7, '0')}`
export const isLive = (index: number): boolean => index % LIVE_SHARE === 0

/** Makes a registry of this name hold so many processes, with the rows in all tables that such processes have. */
export type Filler = (stores: BenchStores, name: string, rows: number) => Promise<void>

const LIVE = 'template-live'
const ENDED = 'template-ended'
/** More than making the templates takes, whose transactions each reserve some. */
const TEMPLATE_CHANGES = 10_000

const SESSION = { sessionId: 'bench' }

/** Through the front door, so that what is copied is what the registry itself writes. */
async function makeTemplates(registry: ProcessRegistry): Promise<void> {
  await prepareRegistry(registry)
  for (const id of [LIVE, ENDED]) {
    await registry.register(registration({ id, wakeTarget: SESSION, eventTypes: [NOTE, WAKING] }))
  }
  await registry.append(LIVE, { eventType: WAKING.name, payload: null })
  await registry.completeWithLease(await beginAttempt(registry, ENDED), { status: 'completed', value: null })
}

const WAKING = {
  name: 'bench.waking',
  payloadSchema: true,
  semantics: { wake: { input: { const: 'Wake up.' } } },
} as const

interface Table {
  readonly name: string
  readonly columns: readonly string[]
}

/** Those with rows of a process, the referred one first. */
const TABLES = ['processes', 'events', 'leases', 'wakes']

/** Copies the template's rows for each number; what must differ between two processes does. */
function copyOf(
  table: Table,
  template: string,
  { numbers, id, isCounted }: { numbers: string; id: string; isCounted: boolean },
): string {
  const values = table.columns.map(column => {
    if (column === (table.name === 'processes' ? 'id' : 'process_id')) return id
    if (column === 'wake_id') return `${id} || '/' || t."sequence"`
    // SQLite counts changes; PostgreSQL's positions are transactions, and the copies share their template's.
    if (column === 'change_seq' && isCounted) return `n + ${TEMPLATE_CHANGES}`
    return `t."${column}"`
  })
  const key = table.name === 'processes' ? 'id' : 'process_id'
  const columns = table.columns.map(column => `"${column}"`).join(', ')
  return `insert into ${table.name} (${columns}) select ${values.join(', ')} from ${table.name} t, ${numbers} where t.${key} = '${template}'`
}

const SPLIT = [
  [LIVE, `n % ${LIVE_SHARE} = 0`],
  [ENDED, `n % ${LIVE_SHARE} <> 0`],
] as const

export const fillSqlite: Filler = async (stores, name, rows) => {
  const registry = await stores.sqlite(name).open()
  await makeTemplates(registry)
  await registry.close()
  const database = new DatabaseSync(stores.sqlitePath(name))
  const columnsOf = (table: string) =>
    database
      .prepare(`select name from pragma_table_info('${table}')`)
      .all()
      .map(column => String(column.name))
  database.exec('pragma synchronous = off; begin')
  for (const table of TABLES.map(each => ({ name: each, columns: columnsOf(each) }))) {
    for (const [template, which] of SPLIT) {
      const numbers = `(with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${rows - 1}) select n from numbers where ${which})`
      database.exec(copyOf(table, template, { numbers, id: `printf('p%07d', n)`, isCounted: true }))
    }
  }
  database.exec(`update meta set change_seq = ${rows + TEMPLATE_CHANGES}; commit; analyze`)
  database.close()
}

export const fillPostgres: Filler = async (stores, name, rows) => {
  const registry = await stores.postgres(name).open()
  await makeTemplates(registry)
  await registry.close()
  const client = new pg.Client({ connectionString: stores.postgresUrl })
  await client.connect()
  try {
    await client.query(`set search_path to "${name}"; set synchronous_commit = off`)
    for (const table of TABLES) {
      const { rows: found } = await client.query(
        'select column_name from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position',
        [name, table],
      )
      const columns = found.map(({ column_name }) => String(column_name))
      for (const [template, which] of SPLIT) {
        const numbers = `(select n from generate_series(0, ${rows - 1}) n where ${which}) numbers`
        await client.query(
          copyOf({ name: table, columns }, template, {
            numbers,
            id: `'p' || lpad(n::text, 7, '0')`,
            isCounted: false,
          }),
        )
      }
    }
    // As autovacuum leaves a table of this age: with statistics, and its pages known to be visible to all.
    await client.query('vacuum (analyze)')
  } finally {
    await client.end()
  }
}
