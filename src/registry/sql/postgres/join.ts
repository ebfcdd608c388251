import { LeaseholdError } from '../../../model/errors.ts'
import type { ProcessId } from '../../../model/ids.ts'
import type { HostTransaction } from '../../host-transaction.ts'
import { runAsynchronously } from '../../operation.ts'
import type { Operation, ProcessChange, StoreTransaction } from '../../store.ts'
import type { SqlPlatform } from '../session.ts'
import { createSqlReader, createSqlTransaction } from '../verbs.ts'
import { types } from './connect.ts'
import type { Answers, PostgresConnection, Query, QueryResult } from './connection.ts'
import { asOwnError, explain, isInsertRace, stateOf } from './errors.ts'
import { type RegistryIdentity, selectState } from './migrate.ts'
import { channelOf, sendNotices } from './notice.ts'
import { PostgresSession } from './session.ts'
import type { PostgresStatements } from './statements.ts'
import { noting } from './transactions.ts'

export interface JoinOptions {
  readonly statements: PostgresStatements
  readonly description: string
  readonly platform: SqlPlatform
  readonly identity: RegistryIdentity
}

/** Of two who insert one row the second waits for the first, and then finds it; if that rolls back, a third may come. */
const INSERT_RACES = 3

/**
 * Runs a body inside the host's transaction, behind a savepoint: whatever is refused there, the host's transaction can
 * go on. Rows that the body only looks at are not locked, for nobody knows when the host commits.
 *
 * The host commits, and not we, so others are told by NOTIFY in its own transaction: the server sends that with the
 * commit, and never after a rollback, even if this OS process is gone by then. Its price is that transactions which
 * notify commit one after another; only those that join pay it.
 */
export async function joinTransaction<T>(
  host: HostTransaction,
  body: (tx: StoreTransaction) => Operation<T>,
  options: JoinOptions,
): Promise<T> {
  const connection = new HostConnection(host)
  for (let tries = 1; ; tries++) {
    try {
      return await behindSavepoint(connection, body, options)
    } catch (error) {
      if (!isInsertRace(error)) throw told(error, options.description)
      if (tries === INSERT_RACES) throw unseenRow(error, options.description)
    }
  }
}

/**
 * The host's client is asked one thing after the other: unlike our own it may not take a query while another runs.
 * Statements are unnamed, since a prepared one would stay behind on a connection that is the host's.
 */
class HostConnection implements PostgresConnection {
  readonly #host: HostTransaction
  #last: Promise<unknown> = Promise.resolve()

  constructor(host: HostTransaction) {
    this.#host = host
  }

  query({ text, values }: { readonly text: string; readonly values?: readonly unknown[] }) {
    const asked = this.#last.then(() =>
      this.#host.query({ text, types, ...(values === undefined ? {} : { values: [...values] }) }),
    )
    const answered = asked.catch(error => {
      throw asOwnError(error)
    })
    this.#last = answered.catch(() => {})
    return answered
  }

  async ask(queries: readonly Query[]): Promise<Answers> {
    const results: QueryResult[] = []
    try {
      for (const query of queries) {
        const { rows, rowCount } = await this.query(query)
        results.push({ rows, rowCount: rowCount ?? 0, command: '' })
      }
      return { results }
    } catch (error) {
      return { results, failure: { error, isCertain: true } }
    }
  }
}

async function behindSavepoint<T>(
  connection: HostConnection,
  body: (tx: StoreTransaction) => Operation<T>,
  options: JoinOptions,
): Promise<T> {
  const { statements, platform, identity } = options
  await connection.query({ text: 'savepoint leasehold' })
  const session = new PostgresSession(connection, { statements, isOptimistic: false })
  try {
    await requireHome(connection, options)
    const changed = new Map<ProcessId, ProcessChange | undefined>()
    const verbs = { ...createSqlTransaction(session, platform), ...createSqlReader(session, platform) }
    const result = await runAsynchronously(body(noting(verbs, changed)), promise => session.isOwn(promise))
    await session.finish()
    await sendNotices(connection, channelOf(identity.registryId), changed.keys())
    await connection.query({ text: 'release savepoint leasehold' })
    return result
  } catch (error) {
    session.end()
    // On a connection that is lost nothing is left to take back.
    await connection.query({ text: 'rollback to savepoint leasehold' }).catch(() => {})
    await connection.query({ text: 'release savepoint leasehold' }).catch(() => {})
    throw error
  }
}

/** Rows written into another registry would be found by nobody who has this one open. */
async function requireHome(
  connection: HostConnection,
  { statements, description, identity }: JoinOptions,
): Promise<void> {
  const { text } = statements.get(selectState)
  const elsewhere = (cause?: unknown): LeaseholdError =>
    new LeaseholdError(
      'registry_mismatch',
      `The transaction is on another database, or its server has another registry in that schema, than the registry ${description}, which this host has open. Begin it on a connection to the registry's own database. Nothing was written.`,
      { cause, details: { registry: description } },
    )
  let rows: readonly unknown[]
  try {
    rows = (await connection.query({ text })).rows
  } catch (error) {
    // No such schema, or no such table in it.
    if (stateOf(error) === '3F000' || stateOf(error) === '42P01') throw elsewhere(error)
    throw error
  }
  const [found] = rows as { registry_id: string; here: string }[]
  if (found?.registry_id !== identity.registryId || found.here !== identity.home) throw elsewhere()
}

function told(error: unknown, description: string): unknown {
  switch (stateOf(error)) {
    case '25P01':
      return new LeaseholdError(
        'transaction_required',
        'The connection has no transaction open. Send it "begin" first, and pass the client itself, not a pool: nothing was written.',
        { cause: error, details: { registry: description } },
      )
    case '25P02':
      return new LeaseholdError(
        'transaction_required',
        'The transaction has failed already, so the server refuses all that follows in it. Roll it back, and begin anew: nothing was written.',
        { cause: error, details: { registry: description } },
      )
    default:
      return explain(error, description)
  }
}

/** Above read committed a transaction does not see what was committed since it began. */
const unseenRow = (error: unknown, description: string): LeaseholdError =>
  new LeaseholdError(
    'registry_locked',
    `Another transaction has registered the same process in the registry ${description}, and this one began too early to see it. Roll it back and run it again, or use the isolation level read committed.`,
    { cause: error, details: { registry: description } },
  )
