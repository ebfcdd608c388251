import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import type { Schema } from '../schema.ts'
import { compileStatement, type SqlDialect, type SqlValue, type Statement } from '../statement.ts'
import { clockMs } from './clock.ts'
import { toText } from './text.ts'

/** Builds SQL and never runs it: `pg` does, since it knows prepared statements by name. */
const builder = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const POSTGRES: SqlDialect = {
  // Not the strongest lock: rows that refer to a process (its events, its journal) only need its id to stay, and must
  // not wait for whoever writes the rest of it.
  forUpdate: query => query.forNoKeyUpdate(),
  forShare: query => query.forShare(),
  forDelete: query => query.forUpdate().skipLocked(),
  timeOf: given => sql<number>`coalesce(${given}::bigint, ${clockMs})`,
  changePosition: () => sql<number>`pg_current_xact_id()::text::bigint`,
}

export interface PostgresStatement {
  /** Unique in this OS process, so that connections never mix two of them up. */
  readonly name: string
  readonly text: string
  /** The same for a statement that must find or write a row: where there is none, it fails (`Refused`). A write says in which transaction it was made. */
  readonly required: StatementText
  /** The same for a query that must find nothing: where it does, it fails. */
  readonly refused: StatementText
  bind(params: object): SqlValue[]
}

interface StatementText {
  readonly name: string
  readonly text: string
}

let statementCount = 0

/** The statements of one schema, each built at its first use. */
export class PostgresStatements {
  readonly #db: Kysely<Schema>
  readonly #compiled = new Map<object, PostgresStatement>()

  constructor(schema: string) {
    this.#db = builder.withSchema(schema)
  }

  get<Params, Row>(statement: Statement<Params, Row>): PostgresStatement {
    const known = this.#compiled.get(statement)
    if (known !== undefined) return known
    const { sql: text, bind } = compileStatement(statement, this.#db, POSTGRES)
    const name = `leasehold_${statementCount++}`
    const made: PostgresStatement = {
      name,
      text,
      required: {
        name: `${name}_required`,
        text: text.startsWith('select')
          ? `with found as (${text}) select 1 / count(*) from found`
          : `with written as (${text} returning 1) select 1 / count(*), pg_current_xact_id()::text::bigint as written_by from written`,
      },
      refused: {
        name: `${name}_refused`,
        text: `with found as (${text}) select 1 / (count(*) = 0)::int from found`,
      },
      bind: params =>
        bind(params as Params).map(value => (typeof value === 'string' ? toText(value) : value)),
    }
    this.#compiled.set(statement, made)
    return made
  }
}
