import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { LeaseholdError } from '../../../model/errors.ts'
import type { ProcessId } from '../../../model/ids.ts'
import { runAsynchronously } from '../../operation.ts'
import type { Operation, StoreReader, StoreTransaction } from '../../store.ts'
import type { SqlPlatform } from '../session.ts'
import { createSqlReader, createSqlTransaction } from '../verbs.ts'
import {
  asStoreError,
  ConnectionLost,
  explain,
  isInsertRace,
  isStaleStatement,
  isWorthRepeating,
  stateOf,
  unknownOutcome,
} from './errors.ts'
import { PostgresSession } from './session.ts'
import type { PostgresStatements } from './statements.ts'

export interface TransactionsOptions {
  readonly pool: Pool
  readonly statements: PostgresStatements
  readonly description: string
  /** How long a transaction is tried again before its error is told. */
  readonly retryForMs: number
  readonly platform: SqlPlatform
  /** The rows that a commit has changed. */
  readonly onCommit: (ids: ReadonlySet<ProcessId>) => void
}

/**
 * Read committed: each statement sees what was committed before it, and the rows that a transaction decides about are
 * locked by loading them.
 *
 *   begin ─▶ body ─▶ commit ──▶ resolved, the changed ids announced
 *     ▲        │        └─ lost: unknown outcome, told as transient, never repeated
 *     │        └─ deadlock, lost connection, insert race: rolled back
 *     └────────────── a pause, until the deadline ◀──┘
 */
export class PostgresTransactions {
  readonly #options: TransactionsOptions

  constructor(options: TransactionsOptions) {
    this.#options = options
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

  async #write<T>(body: (tx: StoreTransaction) => Operation<T>): Promise<T> {
    const { platform, onCommit } = this.#options
    const changed = new Set<ProcessId>()
    const value = await this.#withClient('begin', async (client, session) => {
      const tx = noting(createSqlTransaction(session, platform), changed)
      const result = await runAsynchronously(body(tx), promise => session.isOwn(promise))
      session.end()
      await this.#commit(client, session)
      return result
    })
    if (changed.size > 0) onCommit(changed)
    return value
  }

  #snapshot<T>(body: (reader: StoreReader) => Operation<T>): Promise<T> {
    const { platform } = this.#options
    return this.#withClient('begin isolation level repeatable read read only', async (client, session) => {
      const reader = createSqlReader(session, platform)
      const value = await runAsynchronously(body(reader), promise => session.isOwn(promise))
      await session.begun
      // Nothing depends on its end, and the connection's next user comes after it anyway.
      client.query('commit').catch(() => {})
      return value
    })
  }

  /** Lends a connection with a transaction begun on it; whatever happens, it goes back without one, or is closed. */
  async #withClient<T>(
    begin: string,
    use: (client: PoolClient, session: PostgresSession) => Promise<T>,
  ): Promise<T> {
    const client = await this.#options.pool.connect().catch(error => {
      throw asStoreError(error)
    })
    const session = new PostgresSession(client, begin, this.#options.statements)
    let isUsable = true
    try {
      return await use(client, session)
    } catch (error) {
      isUsable =
        !(error instanceof ConnectionLost) && !isStaleStatement(error) && (await rolledBack(client, session))
      throw error
    } finally {
      session.end()
      client.release(!isUsable)
    }
  }

  async #commit(client: PoolClient, session: PostgresSession): Promise<void> {
    const { description } = this.#options
    await session.begun
    try {
      const { command } = await client.query('commit')
      if (command === 'COMMIT') return
    } catch (error) {
      const failure = asStoreError(error)
      // The server says so itself where it has rolled back. Anything else may have come after the commit.
      if (isWorthRepeating(failure) || stateOf(failure)?.startsWith('23')) throw failure
      throw unknownOutcome(failure, description)
    }
    // To a failed transaction "commit" means rollback: a write has failed that nobody waited for, or the body has
    // swallowed an error.
    const unseen = await session.failure()
    if (unseen !== undefined) throw unseen
    throw new LeaseholdError(
      'registry_unavailable',
      `The transaction on the registry ${description} was rolled back: one of its statements had failed. Nothing of it was written.`,
    )
  }
}

const INSERT_RACES = 3

function isRepeatable(error: unknown, tries: number): boolean {
  if (error instanceof ConnectionLost || isWorthRepeating(error)) return true
  // Bounded: the next look finds the other's row, or the caller never looks.
  return (isInsertRace(error) || isStaleStatement(error)) && tries < INSERT_RACES
}

/** Random, so that transactions which met once do not meet again; long enough for a server that comes up. */
const pauseMs = (tries: number): number => 1 + Math.random() * Math.min(250, 2 ** Math.min(tries, 10))

async function rolledBack(client: PoolClient, session: PostgresSession): Promise<boolean> {
  try {
    // Writes may still be waiting for `begin`: they must not come after its end, where each would be committed by itself.
    await session.begun
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

/** Notes whose record changes: what others are told of. */
export const noting = (tx: StoreTransaction, changed: Set<ProcessId>): StoreTransaction => ({
  ...tx,
  insertProcess(process) {
    changed.add(process.record.id)
    return tx.insertProcess(process)
  },
  saveProcess(process, guard) {
    changed.add(process.record.id)
    return tx.saveProcess(process, guard)
  },
})
