import type { PoolClient, QueryResult } from 'pg'
import { LeaseholdError } from '../../../model/errors.ts'
import { awaited } from '../../operation.ts'
import type { Operation } from '../../store.ts'
import type { SqlSession } from '../session.ts'
import type { Statement } from '../statement.ts'
import { asStoreError } from './errors.ts'
import type { PostgresStatements } from './statements.ts'

/** The verbs' way to one connection, open only as long as their transaction. */
export class PostgresSession implements SqlSession {
  readonly #client: PoolClient
  readonly #statements: PostgresStatements
  #last: Promise<QueryResult> | undefined
  #isOver = false

  constructor(client: PoolClient, statements: PostgresStatements) {
    this.#client = client
    this.#statements = statements
  }

  *all<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { rows } = yield* this.#query(statement, params)
    return rows as Row[]
  }

  *run<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { rowCount } = yield* this.#query(statement, params)
    return rowCount ?? 0
  }

  /** Is it what the last query will come to? */
  isOwn(promise: Promise<unknown>): boolean {
    return promise === this.#last
  }

  /** The connection is somebody else's from now on, whatever a body that kept its verbs may do. */
  end(): void {
    this.#isOver = true
  }

  #query<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<QueryResult> {
    if (this.#isOver)
      throw new LeaseholdError('registry_unavailable', 'The transaction is over: it has ended.')
    const { name, text, bind } = this.#statements.get(statement)
    const query = this.#client.query({ name, text, values: bind(params as object) }).catch(error => {
      throw asStoreError(error)
    })
    this.#last = query
    return awaited(query)
  }
}
