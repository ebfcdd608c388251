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
  /** The same for a write that must write a row: where it writes none, it fails. Its answer says in which transaction. */
  readonly required: StatementText
  /** That the query finds something. */
  readonly found: Condition
  /** That it finds nothing, and so has nothing to lock. */
  readonly notFound: Condition
  bind(params: object): SqlValue[]
}

interface StatementText {
  readonly name: string
  readonly text: string
}

/** What a query may have to find, as part of a statement (`allOf`). */
export interface Condition {
  readonly name: string
  readonly text: string
  readonly parameters: number
  /** It locks what it finds. */
  readonly isLock: boolean
}

const LOCK = / for no key update$/

const PLACE = /\$(\d+)/g

let statementCount = 0
const nextName = (): string => `leasehold_${statementCount++}`

/** The statements of one schema, each built at its first use. */
export class PostgresStatements {
  readonly #db: Kysely<Schema>
  readonly #compiled = new Map<object, PostgresStatement>()
  readonly #conditions = new Map<string, StatementText>()

  constructor(schema: string) {
    this.#db = builder.withSchema(schema)
  }

  get<Params, Row>(statement: Statement<Params, Row>): PostgresStatement {
    const known = this.#compiled.get(statement)
    if (known !== undefined) return known
    const { sql: text, bind } = compileStatement(statement, this.#db, POSTGRES)
    const name = nextName()
    const parameters = bind({} as Params).length
    const made: PostgresStatement = {
      name,
      text,
      required: {
        name: `${name}_required`,
        text: `with written as (${text} returning 1) select 1 / count(*), pg_current_xact_id()::text::bigint as written_by from written`,
      },
      found: { name, text: `exists (${text})`, parameters, isLock: LOCK.test(text) },
      notFound: {
        name: `no ${name}`,
        text: `not exists (${text.replace(LOCK, '')})`,
        parameters,
        isLock: false,
      },
      bind: params =>
        bind(params as Params).map(value => (typeof value === 'string' ? toText(value) : value)),
    }
    this.#compiled.set(statement, made)
    return made
  }

  /** Fails where one of the conditions is not so. Locks are taken in this order. */
  allOf(conditions: readonly Condition[]): StatementText {
    const key = conditions.map(({ name }) => name).join()
    const known = this.#conditions.get(key)
    if (known !== undefined) return known
    let before = 0
    const texts = conditions.map(({ text, parameters }) => {
      const start = before
      before += parameters
      return text.replace(PLACE, (_, place) => `$${Number(place) + start}`)
    })
    const made = { name: nextName(), text: `select 1 / (${texts.join(' and ')})::int` }
    this.#conditions.set(key, made)
    return made
  }
}
