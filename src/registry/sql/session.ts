import type { ChangeCursor } from '../../model/ids.ts'
import type { ChangePage, Operation } from '../store.ts'
import type { Statement } from './statement.ts'

/** A database connection inside a transaction, as the statements' functions use it. */
export interface SqlSession {
  all<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<Row[]>
  /** How many rows were written. */
  run<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<number>
}

/** What differs between databases beyond their SQL: whose clock counts, and what orders the changes. */
export interface SqlPlatform {
  now(session: SqlSession): Operation<number>
  /** The position of the change that is about to be written. */
  nextChange(session: SqlSession): Operation<number>
  listChanges(session: SqlSession, cursor: ChangeCursor, limit: number): Operation<ChangePage>
  latestChange(session: SqlSession): Operation<ChangeCursor>
}
