import { LeaseholdError } from '../../../model/errors.ts'
import { immediately } from '../../operation.ts'
import type { SqlSession } from '../session.ts'
import type { SqliteConnection } from './connection.ts'

/** The verbs' way to the connection, open only inside a transaction. */
export function createSqliteSession(connection: SqliteConnection): SqlSession {
  // Outside a transaction SQLite would commit each statement by itself: after a rollback of its own accord that a body
  // did not notice, or for a body that kept its transaction's verbs.
  const requireTransaction = (): void => {
    if (connection.isTransaction) return
    throw new LeaseholdError(
      'registry_unavailable',
      'The transaction is over: the database rolled it back, or it has ended.',
    )
  }
  const all: SqlSession['all'] = (statement, params) =>
    immediately(() => {
      requireTransaction()
      return connection.all(statement, params)
    })
  return {
    withoutWaits: new Set(),
    writesNamedIndexes: true,
    all,
    seldom: all,
    send: (statement, params) =>
      immediately(() => {
        requireTransaction()
        connection.run(statement, params)
      }),
    save: (statement, params) =>
      immediately(() => {
        requireTransaction()
        return connection.run(statement, params) > 0
      }),
    run: (statement, params) =>
      immediately(() => {
        requireTransaction()
        return connection.run(statement, params)
      }),
  }
}
