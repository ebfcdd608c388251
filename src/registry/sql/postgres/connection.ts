import type { SqlValue } from '../statement.ts'

export interface Query {
  readonly text: string
  /** Of a statement that the connection prepares once and then only binds. */
  readonly name: string
  readonly values: readonly SqlValue[]
}

export interface QueryResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number
  /** The first word of what the server says that it did: `COMMIT`. */
  readonly command: string
}

/** What came of queries that were asked together. Each has a result, or else the first one without it has failed. */
export interface Answers {
  readonly results: readonly QueryResult[]
  readonly failure?: Failure
}

export interface Failure {
  readonly error: unknown
  /** The server says itself where it stopped, or was never asked. Otherwise what has no result was done or not. */
  readonly isCertain: boolean
}

/** How a connection is asked: the queries in this order, and none behind one that fails. */
export interface PostgresConnection {
  ask(queries: readonly Query[]): Promise<Answers>
}

const plain = (text: string): Query => ({ text, name: text, values: [] })

export const BEGIN = plain('begin')
export const BEGIN_SNAPSHOT = plain('begin isolation level repeatable read read only')
export const COMMIT = plain('commit')
export const ROLLBACK = plain('rollback')
