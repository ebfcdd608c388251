import { LeaseholdError } from '../../../model/errors.ts'
import type { ProcessId } from '../../../model/ids.ts'
import { awaited, immediately } from '../../operation.ts'
import type { Operation } from '../../store.ts'
import type { SqlSession } from '../session.ts'
import type { Statement } from '../statement.ts'
import { asStoreError } from './errors.ts'
import type { PostgresStatements } from './statements.ts'

/** What the session asks of a client of `pg`. */
export interface PostgresConnection {
  query(query: Query): Promise<QueryResult>
}

interface Query {
  readonly text: string
  readonly name?: string
  readonly values?: unknown[]
}

interface QueryResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
}

/** The verbs' way to one connection and a transaction on it, open only as long as that. */
export class PostgresSession implements SqlSession {
  readonly #client: PostgresConnection
  readonly #statements: PostgresStatements
  /** Rejected when there is no transaction. */
  readonly begun: Promise<void>
  readonly withoutWaits = new Set<ProcessId>()
  #isBegun = false
  #hasWritten = false
  readonly #own = new WeakSet<Promise<unknown>>()
  #lastSent: Promise<unknown> | undefined
  #failure: unknown
  #isOver = false

  constructor(client: PostgresConnection, begin: string, statements: PostgresStatements) {
    this.#client = client
    this.#statements = statements
    this.begun = this.#begin(begin)
    // Told to whoever waits for it.
    this.begun.catch(() => {})
  }

  async #begin(begin: string): Promise<void> {
    try {
      await this.#client.query({ text: begin })
      this.#isBegun = true
    } catch (error) {
      throw asStoreError(error)
    }
  }

  *all<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    const { rows } = yield* this.#query(statement, params, !this.#hasWritten)
    return rows as Row[]
  }

  *run<Params, Row>(statement: Statement<Params, Row>, params: Params) {
    this.#hasWritten = true
    const { rowCount } = yield* this.#query(statement, params, false)
    return rowCount ?? 0
  }

  send<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<void> {
    this.#requireOpen()
    this.#hasWritten = true
    // The connection answers in order: whatever is asked next learns of the failure as well.
    this.#lastSent = this.#start(this.#bound(statement, params), false).catch(error => {
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

  /** Is it what one of its queries will come to? */
  isOwn(promise: Promise<unknown>): boolean {
    return this.#own.has(promise)
  }

  /** The connection is somebody else's from now on, whatever a body that kept its verbs may do. */
  end(): void {
    this.#isOver = true
  }

  #query<Params, Row>(
    statement: Statement<Params, Row>,
    params: Params,
    isEager: boolean,
  ): Operation<QueryResult> {
    this.#requireOpen()
    const query = this.#start(this.#bound(statement, params), isEager).catch(async error => {
      // To a transaction that has failed, the server says nothing but that it has.
      throw (await this.failure()) ?? error
    })
    this.#own.add(query)
    return awaited(query)
  }

  /**
   * `isEager`: sent along with `begin`. Only for queries that read before anything is written: without a transaction,
   * should `begin` be refused, each write would be committed by itself. Whoever waits for `begin` keeps the order in which they came.
   */
  async #start(query: Query, isEager: boolean): Promise<QueryResult> {
    if (!isEager && !this.#isBegun) await this.begun
    try {
      return await this.#client.query(query)
    } catch (error) {
      throw asStoreError(error)
    }
  }

  /** At once, in the body's own turn: a value that cannot be bound ends the body, and is never left out unseen. */
  #bound<Params, Row>(statement: Statement<Params, Row>, params: Params): Query {
    const { name, text, bind } = this.#statements.get(statement)
    return { name, text, values: bind(params as object) }
  }

  #requireOpen(): void {
    if (!this.#isOver) return
    throw new LeaseholdError('registry_unavailable', 'The transaction is over: it has ended.')
  }
}
