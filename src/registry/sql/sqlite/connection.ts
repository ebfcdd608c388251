import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, sql } from 'kysely'
import type { Schema } from '../schema.ts'
import {
  type CompiledStatement,
  compileStatement,
  type SqlDialect,
  type SqlValue,
  type Statement,
} from '../statement.ts'
import { PreparedOnceCompiler } from './query-compiler.ts'

/** Builds SQL and never runs it: node:sqlite does, synchronously, which is what lets transactions share a commit. */
const builder = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new PreparedOnceCompiler(),
  },
})

/** A transaction that writes has the whole file to itself: nothing to lock, and a counter for its changes. */
const SQLITE: SqlDialect = {
  forUpdate: query => query,
  forShare: query => query,
  forDelete: query => query,
  timeOf: given => sql<number>`${given}`,
  changePosition: given => given,
}

interface Prepared {
  readonly native: StatementSync
  /** Of the columns, where the rows come as arrays; absent where they come as objects. */
  readonly names: readonly string[] | undefined
  bind(params: object): SqlValue[]
}

/** One connection with its prepared statements. It throws SQLite's own errors; `explain` makes them fit for people. */
export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<object, Prepared>()
  readonly #texts = new Map<string, StatementSync>()
  #schemaVersion: unknown

  constructor(path: string) {
    // SQLite's own waiting would stop the event loop, and with it lease renewals: a locked database answers at once.
    this.#database = new DatabaseSync(path, { timeout: 0 })
  }

  /** SQLite ends a transaction by itself after some errors (full disk, I/O), so nobody else can know. */
  get isTransaction(): boolean {
    return this.#database.isTransaction ?? this.#findTransaction()
  }

  /** Node before 22.16 does not say. A transaction inside a transaction is refused, so trying one tells. */
  #findTransaction(): boolean {
    try {
      this.#database.exec('begin')
    } catch {
      return true
    }
    this.#database.exec('rollback')
    return false
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  /** The same for what frames every transaction: prepared once. */
  frame(sql: 'begin' | 'begin immediate' | 'commit' | 'savepoint member' | 'release member'): void {
    this.#prepareText(sql).run()
    if (sql === 'begin' || sql === 'begin immediate') this.#forgetOldColumns()
  }

  /**
   * Another OS process may migrate the file: SQLite itself then prepares each statement anew, but which column stands
   * where is remembered here. Within the transaction the schema stays as it is.
   */
  #forgetOldColumns(): void {
    const version = this.value('pragma schema_version')
    if (version === this.#schemaVersion) return
    this.#schemaVersion = version
    this.#prepared.clear()
    // SQLite sees that what it knows of the schema is old when a statement runs, and not when one is prepared.
    this.exec('select 1 from sqlite_schema limit 1')
  }

  /** The first column of the first row: for pragmas and the like, which the query builder has no words for. */
  value(sql: string): SQLOutputValue | undefined {
    const row = this.#prepareText(sql).get()
    return row && Object.values(row)[0]
  }

  all<Params, Row>(statement: Statement<Params, Row>, params: Params): Row[] {
    const { native, names, bind } = this.#prepare(statement)
    const rows: unknown[] = native.all(...bind(params as object))
    return (names === undefined ? rows : rows.map(row => named(names, row as SQLOutputValue[]))) as Row[]
  }

  /** How many rows were written. */
  run<Params, Row>(statement: Statement<Params, Row>, params: Params): number {
    const { native, bind } = this.#prepare(statement)
    return Number(native.run(...bind(params as object)).changes)
  }

  rollBackIfOpen(): void {
    if (this.isTransaction) this.exec('rollback')
  }

  close(): void {
    this.#database.close()
  }

  #prepareText(sql: string): StatementSync {
    const known = this.#texts.get(sql)
    if (known !== undefined) return known
    const native = this.#database.prepare(sql)
    this.#texts.set(sql, native)
    return native
  }

  #prepare<Params, Row>(statement: Statement<Params, Row>): Prepared {
    const known = this.#prepared.get(statement)
    if (known !== undefined) return known
    const { sql, bind } = compiled(statement)
    const native = this.#database.prepare(sql)
    const prepared = { native, names: namesOf(native), bind } as Prepared
    this.#prepared.set(statement, prepared)
    return prepared
  }
}

/**
 * node:sqlite makes a dictionary of each row, which takes long to make and longer to read. An array is made at once, and
 * an object that is built the same way each time has a shape that the engine knows. Node before 22.16 has only the
 * dictionaries.
 */
function namesOf(native: StatementSync): readonly string[] | undefined {
  if (typeof native.setReturnArrays !== 'function') return undefined
  native.setReturnArrays(true)
  return native.columns().map(({ name }) => name)
}

function named(names: readonly string[], values: readonly SQLOutputValue[]): object {
  const row: { [name: string]: SQLOutputValue | undefined } = {}
  for (let index = 0; index < names.length; index++) row[names[index] as string] = values[index]
  return row
}

const cache = new WeakMap<object, unknown>()

/** The SQL of a statement, built once for all connections. */
export function compiled<Params, Row>(statement: Statement<Params, Row>): CompiledStatement<Params> {
  const known = cache.get(statement)
  if (known !== undefined) return known as CompiledStatement<Params>
  const made = compileStatement(statement, builder, SQLITE)
  cache.set(statement, made)
  return made
}
