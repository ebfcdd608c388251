import type { SqlValue } from '../statement.ts'
import type { Query, QueryResult } from './connection.ts'
import type { Condition, PostgresStatements } from './statements.ts'

/** What a session has been asked, until it asks the server. */
export interface Asked {
  /** Conditions: all of them are so, or it fails. As long as it has not been sent, others may come to them. */
  readonly asks: Query | BoundCondition[]
  resolve(result: QueryResult): void
  reject(error: unknown): void
}

export interface BoundCondition extends Condition {
  readonly values: readonly SqlValue[]
  onWrong(): void
}

/** What nobody waits for. */
export const asked = (asks: Query): Asked => ({ asks, resolve() {}, reject() {} })

export const isConditions = (asks: Asked['asks'] | undefined): asks is BoundCondition[] => Array.isArray(asks)

/** One statement, also of several conditions. */
export const toQuery = (asks: Asked['asks'], statements: PostgresStatements): Query =>
  isConditions(asks) ? { ...statements.allOf(asks), values: asks.flatMap(({ values }) => values) } : asks
