import { type Compilable, type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { LeaseholdError } from '../../model/errors.ts'
import type { Schema } from './schema.ts'

/** A value that a column can be bound to. */
export type SqlValue = string | number | null | Uint8Array

export type Bindings = { readonly [name: string]: SqlValue }

/** The parameters of a statement, written where their values will stand. */
export type Named<Params> = { readonly [Name in keyof Params]: RawBuilder<Params[Name]> }

type Locking = <DB, TB extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, TB, Row>,
) => SelectQueryBuilder<DB, TB, Row>

/** What one database adds to a statement that another one has no words for, or no need of. */
export interface SqlDialect {
  /** The rows found are this transaction's to write: others that want them wait, and then see what it has written. */
  readonly forUpdate: Locking
  /** The rows found stay as they are until this transaction has ended. */
  readonly forShare: Locking
  /** The same for what is to be deleted, but rows that others have in their hands are left out instead of waited for. */
  readonly forDelete: Locking
  /** The time that is given, or the database's own where none is. */
  readonly timeOf: (given: RawBuilder<number | null>) => RawBuilder<number>
  /** The position of a change: the one that is given, or what the database puts in its place as it writes. */
  readonly changePosition: (given: RawBuilder<number>) => RawBuilder<number>
}

/** A statement in the query builder's terms, the same for every SQL store. */
export interface Statement<Params, Row> {
  readonly build: (db: Kysely<Schema>, p: Named<Params>, dialect: SqlDialect) => Compilable<Row>
}

/** A statement as one database takes it: built once, then only bound. */
export interface CompiledStatement<Params> {
  readonly sql: string
  bind(params: Params): SqlValue[]
}

/**
 * Declares a statement with named parameters:
 *
 *     prepare((db, p: Named<{ id: ProcessId }>) => db.selectFrom('leases').selectAll().where('process_id', '=', p.id))
 */
export const prepare = <Params, Row>(build: Statement<Params, Row>['build']): Statement<Params, Row> => ({
  build,
})

export function compileStatement<Params, Row>(
  statement: Statement<Params, Row>,
  db: Kysely<Schema>,
  dialect: SqlDialect,
): CompiledStatement<Params> {
  const named = new Proxy({}, { get: (_, name) => sql.val(new Parameter(name)) }) as Named<Params>
  const compiled = statement.build(db, named, dialect).compile()
  // In the order of the placeholders: the name of a parameter, or a constant that the statement itself contains.
  const slots = [...compiled.parameters]
  return {
    sql: compiled.sql,
    bind: params =>
      slots.map(slot => {
        if (!(slot instanceof Parameter)) return slot as SqlValue
        const value = params[slot.name as keyof Params] as SqlValue
        if (typeof value === 'string' && !value.isWellFormed()) throw illFormed(slot.name)
        return value
      }),
  }
}

/**
 * There is no UTF-8 for half of a character, so a driver would store another text: a key that nobody finds again, or
 * that another one is taken for. Texts inside JSON are escaped there, and come back as they were.
 */
const illFormed = (column: string | symbol): LeaseholdError =>
  new LeaseholdError(
    'usage',
    `The text for "${String(column)}" is not well-formed Unicode: it has half of a character (a lone surrogate), perhaps because it was cut there. Cut it between characters, or use toWellFormed().`,
    { details: { column: String(column) } },
  )

/** All columns of a row as parameters of their own names, for statements that write the whole row. */
export const columns = <Params, const Name extends keyof Params>(
  p: Named<Params>,
  names: readonly Name[],
): { [Column in Name]: RawBuilder<Params[Column]> } =>
  Object.fromEntries(names.map(name => [name, p[name]])) as { [Column in Name]: RawBuilder<Params[Column]> }

class Parameter {
  readonly name: string | symbol

  constructor(name: string | symbol) {
    this.name = name
  }
}
