import type { PoolClient, QueryResult } from 'pg'
import { LeaseholdError } from '../../../model/errors.ts'
import { awaited, immediately } from '../../operation.ts'
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
  #lastSent: Promise<unknown> | undefined
  #failure: unknown
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

  send<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<void> {
    this.#requireOpen()
    // The connection answers in order: whatever is asked next learns of the failure as well.
    this.#lastSent = this.#start(statement, params).catch(error => {
      this.#failure ??= error
    })
    return immediately(() => {})
  }

  /** The error of a write that nobody waited for; to be asked when something sent after it has been answered. */
  async failure(): Promise<unknown> {
    // Answered before, but told in a later turn.
    await this.#lastSent
    return this.#failure
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
    this.#requireOpen()
    const query = this.#start(statement, params).catch(async error => {
      // To a transaction that has failed, the server says nothing but that it has.
      throw (await this.failure()) ?? error
    })
    this.#last = query
    return awaited(query)
  }

  async #start<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<QueryResult> {
    const { name, text, bind } = this.#statements.get(statement)
    try {
      return await this.#client.query({ name, text, values: bind(params as object) })
    } catch (error) {
      throw asStoreError(error)
    }
  }

  #requireOpen(): void {
    if (!this.#isOver) return
    throw new LeaseholdError('registry_unavailable', 'The transaction is over: it has ended.')
  }
}
