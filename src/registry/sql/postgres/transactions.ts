import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { LeaseholdError } from '../../../model/errors.ts'
import type { ProcessId } from '../../../model/ids.ts'
import { streamOf } from '../../change-hub.ts'
import { runAsynchronously } from '../../operation.ts'
import type { Operation, ProcessChange, StoreReader, StoreTransaction } from '../../store.ts'
import { changeOf } from '../changes.ts'
import type { SqlPlatform } from '../session.ts'
import { createSqlReader, createSqlTransaction } from '../verbs.ts'
import { BatchConnection } from './batch.ts'
import type { Changed } from './change-watch.ts'
import { BEGIN, BEGIN_SNAPSHOT, COMMIT, type PostgresConnection, type Query, ROLLBACK } from './connection.ts'
import {
  asStoreError,
  ConnectionLost,
  explain,
  isInsertRace,
  isStaleStatement,
  isWorthRepeating,
  unknownOutcome,
  WrongGuess,
} from './errors.ts'
import { type Ending, type Guesses, MoreAsked, PostgresSession, type SessionOptions } from './session.ts'
import type { PostgresStatements } from './statements.ts'

export interface TransactionsOptions {
  readonly pool: Pool
  readonly statements: PostgresStatements
  readonly description: string
  /** How long a transaction is tried again before its error is told. */
  readonly retryForMs: number
  readonly platform: SqlPlatform
  readonly guesses: Guesses
  /** What a commit has changed. */
  readonly onCommit: (changed: Changed) => void
}

/**
 * Read committed: each statement sees what was committed before it, and the rows that a transaction decides about are
 * locked by loading them.
 *
 *   begin ─▶ body ─▶ commit ──▶ resolved, what has changed announced
 *     ▲        │        └─ lost: unknown outcome, told as transient, never repeated
 *     │        └─ deadlock, lost connection, insert race: rolled back
 *     └────────────── a pause, until the deadline ◀──┘
 */
export class PostgresTransactions {
  readonly #options: TransactionsOptions
  readonly #connections = new WeakMap<PoolClient, BatchConnection>()
  /** The names of first queries whose answers have led to others. */
  readonly #leading = new Set<string>()

  constructor(options: TransactionsOptions) {
    this.#options = options
    // Perhaps for another server, on which the same number is another transaction's.
    options.pool.on('remove', () => options.guesses.rows.clear())
  }

  transaction<T>(body: (tx: StoreTransaction) => Operation<T>): Promise<T> {
    return this.#repeat(() => this.#write(body))
  }

  read<T>(body: (reader: StoreReader) => Operation<T>): Promise<T> {
    return this.#repeat(() => this.#snapshot(body))
  }

  async #repeat<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#options.retryForMs
    for (let tries = 0; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        if (!isRepeatable(error, tries) || performance.now() >= deadline) {
          throw explain(error, this.#options.description)
        }
        await sleep(pauseMs(tries))
      }
    }
  }

  /** A wrong guess is rare: only then is the body run again, and waits for what it is told; at last, for each write. */
  async #write<T>(body: (tx: StoreTransaction) => Operation<T>): Promise<T> {
    const { guesses } = this.#options
    for (const trust of [{ isOptimistic: true, guesses }, { isOptimistic: true }]) {
      try {
        return await this.#run(body, trust)
      } catch (error) {
        if (!(error instanceof WrongGuess)) throw error
      }
    }
    return await this.#run(body, { isOptimistic: false })
  }

  async #run<T>(
    body: (tx: StoreTransaction) => Operation<T>,
    trust: Pick<SessionOptions, 'isOptimistic' | 'guesses'>,
  ): Promise<T> {
    const { platform, statements, onCommit } = this.#options
    const changed = new Map<ProcessId, ProcessChange | undefined>()
    const value = await this.#withSession({ begin: BEGIN, statements, ...trust }, async session => {
      const tx = noting(createSqlTransaction(session, platform), changed)
      const result = await this.#runBody(session, tx, body)
      this.#requireCommitted(await session.commit())
      session.keep()
      return result
    })
    if (changed.size > 0) onCommit(changed)
    return value
  }

  async #runBody<T>(
    session: PostgresSession,
    tx: StoreTransaction,
    body: (tx: StoreTransaction) => Operation<T>,
  ): Promise<T> {
    try {
      return await runAsynchronously(body(tx), promise => session.isOwn(promise))
    } catch (error) {
      // Perhaps for a guess that nobody has looked into yet.
      throw session.isGuessing ? new WrongGuess(error) : error
    }
  }

  /** Most bodies ask once. Only one that goes on from the answers needs a transaction that waits for it. */
  async #snapshot<T>(body: (reader: StoreReader) => Operation<T>): Promise<T> {
    try {
      return await this.#look(body)
    } catch (error) {
      if (!(error instanceof MoreAsked)) throw error
      // From now on at once.
      this.#leading.add(nameOf(error.first))
      return await this.#look(body)
    }
  }

  #look<T>(body: (reader: StoreReader) => Operation<T>): Promise<T> {
    const { platform, statements } = this.#options
    const isEnough = (first: readonly Query[]): boolean => !this.#leading.has(nameOf(first))
    const options = { begin: BEGIN_SNAPSHOT, isEnough, statements, isOptimistic: false }
    return this.#withSession(options, async (session, connection) => {
      const reader = createSqlReader(session, platform)
      const value = await runAsynchronously(body(reader), promise => session.isOwn(promise))
      session.end()
      // Nothing depends on its end, and the connection's next user comes after it anyway.
      if (session.isBegun) void connection.ask([COMMIT])
      return value
    })
  }

  /** Lends a connection for a transaction; whatever happens, it goes back without one, or is closed. */
  async #withSession<T>(
    options: SessionOptions,
    use: (session: PostgresSession, connection: PostgresConnection) => Promise<T>,
  ): Promise<T> {
    const client = await this.#options.pool.connect().catch(error => {
      throw asStoreError(error)
    })
    const connection = this.#connectionOf(client)
    const session = new PostgresSession(connection, options)
    let isUsable = true
    try {
      return await use(session, connection)
    } catch (error) {
      session.end()
      isUsable =
        !(error instanceof ConnectionLost) &&
        !isStaleStatement(error) &&
        (!session.isBegun || (await connection.ask([ROLLBACK])).failure === undefined)
      throw error
    } finally {
      client.release(!isUsable)
    }
  }

  /** The same as long as the client lasts: it knows what was prepared there. */
  #connectionOf(client: PoolClient): BatchConnection {
    const known = this.#connections.get(client)
    if (known !== undefined) return known
    const connection = new BatchConnection(client)
    this.#connections.set(client, connection)
    return connection
  }

  #requireCommitted(ending: Ending): void {
    const { description } = this.#options
    if (ending.type === 'committed') return
    if (ending.type === 'unknown') throw unknownOutcome(ending.error, description)
    if (ending.error !== undefined) throw ending.error
    throw new LeaseholdError(
      'registry_unavailable',
      `The transaction on the registry ${description} was rolled back: one of its statements had failed. Nothing of it was written.`,
    )
  }
}

const nameOf = (queries: readonly Query[]): string => queries.map(({ name }) => name).join()

const INSERT_RACES = 3

function isRepeatable(error: unknown, tries: number): boolean {
  if (error instanceof ConnectionLost || isWorthRepeating(error)) return true
  // Bounded: the next look finds the other's row, or the caller never looks.
  return (isInsertRace(error) || isStaleStatement(error)) && tries < INSERT_RACES
}

/** Random, so that transactions which met once do not meet again; long enough for a server that comes up. */
const pauseMs = (tries: number): number => 1 + Math.random() * Math.min(250, 2 ** Math.min(tries, 10))

/** Notes whose record or streams change: what others are told of. Of a stream's growth the feed says nothing. */
export const noting = (
  tx: StoreTransaction,
  changed: Map<ProcessId, ProcessChange | undefined>,
): StoreTransaction => ({
  ...tx,
  insertProcess(process) {
    changed.set(process.record.id, changeOf(process))
    return tx.insertProcess(process)
  },
  saveProcess(process, guard) {
    changed.set(process.record.id, changeOf(process))
    return tx.saveProcess(process, guard)
  },
  insertStreamRow(row, guard) {
    changed.set(streamOf(row.processId), undefined)
    return tx.insertStreamRow(row, guard)
  },
})
