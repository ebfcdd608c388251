import type { ChangeCursor, ProcessId } from '../../model/ids.ts'
import type { ChangePage, Operation, ProcessChange } from '../store.ts'
import type { LeaseRow, MutableColumns, ProcessRow } from './process-tables.ts'
import type { Statement } from './statement.ts'

/** A database connection inside a transaction, as the statements' functions use it. */
export interface SqlSession {
  /** Rows that this transaction has locked and found without waits: it need not take any away. */
  readonly withoutWaits: Set<ProcessId>
  /** An update writes the indexes of all columns that it names, also of those that stay as they are. Default: false. */
  readonly writesNamedIndexes?: boolean
  /** Absent where asking costs no way there and back. */
  readonly memory?: SessionMemory | undefined
  all<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<Row[]>
  /**
   * The same for rows that are seldom there. Where the database is elsewhere, nobody waits to hear that there are none: if
   * there is one after all, that ends the transaction as in `save`.
   */
  seldom<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<Row[]>
  /**
   * Writes without asking how many rows: where the database is elsewhere, nobody waits for the answer. If it is an error,
   * it shows at a later statement or at the commit, which then fails.
   */
  send<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<void>
  /**
   * Writes one row, or none where a guard of the statement's own refuses: `false`. Where the database is elsewhere, nobody
   * waits for that answer: a refusal, which is rare, ends the transaction, and the body runs again and does wait.
   */
  save<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<boolean>
  /** How many rows were written. */
  run<Params, Row>(statement: Statement<Params, Row>, params: Params): Operation<number>
}

/**
 * What need not be waited for: the rows of processes that are gone on with, as this OS process wrote them last, and the
 * database's time. Whether it is so, and for the rows until the commit, is asked with the writes. If it is not, that ends
 * the transaction as in `save`.
 */
export interface SessionMemory {
  now(): number | undefined
  /** The database's answer to what time it is. */
  heard(nowMs: number): void
  process(id: ProcessId): ProcessRow | undefined
  lease(id: ProcessId): LeaseRow | 'none' | undefined
  loaded(row: ProcessRow): void
  inserted(row: ProcessRow): void
  updated(id: ProcessId, columns: Partial<MutableColumns>): void
  leased(row: LeaseRow): void
  /** It is written in a way that is not told here. */
  forget(id: ProcessId): void
}

/** Where rows stand in the order of changes: by position, and by id where a position is shared. */
export interface ChangePlace {
  readonly changeSeq: number
  readonly id: ProcessId
}

/** What differs between databases beyond their SQL: whose clock counts, and what orders the changes. */
export interface SqlPlatform {
  now(session: SqlSession): Operation<number>
  /** The time for a statement that compares it itself; null: that one reads the database's clock. */
  boundNow(): number | null
  /**
   * The position of the change that is about to be written; unused where the statement itself finds it. What it is about
   * is for platforms that tell of it themselves.
   */
  nextChange(session: SqlSession, change: ProcessChange): Operation<number>
  /** Until the transaction ends nobody else has it. */
  lockQueue(session: SqlSession, queue: string): Operation<void>
  /** Of the row that the cursor stands behind. */
  positionOf(session: SqlSession, cursor: ChangeCursor): Operation<ChangePlace>
  listChanges(session: SqlSession, cursor: ChangeCursor, limit: number): Operation<ChangePage>
  latestChange(session: SqlSession): Operation<ChangeCursor>
}
