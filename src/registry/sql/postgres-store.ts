import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessStore } from '../store.ts'
import { ChangeWatch } from './postgres/change-watch.ts'
import { connectClient, createPool, type PostgresAddress } from './postgres/connect.ts'
import { DEFAULT_SCHEMA, describePostgres, requireSchemaName } from './postgres/describe.ts'
import { Doubts } from './postgres/doubts.ts'
import { asStoreError, explain } from './postgres/errors.ts'
import { createHeldBackWatch } from './postgres/held-back.ts'
import { joinTransaction } from './postgres/join.ts'
import { openSchema } from './postgres/migrate.ts'
import { channelOf } from './postgres/notice.ts'
import { Notifier } from './postgres/notifier.ts'
import { createPostgresPlatform } from './postgres/platform.ts'
import { RecentRows } from './postgres/recent-rows.ts'
import { ServerClock } from './postgres/server-clock.ts'
import { PostgresStatements } from './postgres/statements.ts'
import { PostgresTransactions } from './postgres/transactions.ts'

export interface PostgresStoreOptions extends Omit<PostgresAddress, 'lockTimeoutMs'> {
  /** The schema that holds the registry's tables and nothing else; it is made where it is missing. Default: `leasehold`. */
  readonly schema?: string
  /** How long to wait for a lock or a connection, and to try a transaction again, before its error. Default: 10 000. */
  readonly lockTimeoutMs?: number
  /** For whoever only looks: a registry that is not there yet is an error, and none is made. Default: false. */
  readonly mustExist?: boolean
  /**
   * Tell other OS processes of changes at once, and hear of theirs, over one connection that stays open (LISTEN). Default:
   * true. False where a connection pooler does not let it: then they are heard of within a second.
   */
  readonly notices?: boolean
  /** Milliseconds since the epoch, for tests. Default: the database's clock, so that no client's own matters. */
  readonly clock?: () => number
}

/** A registry in a schema of a PostgreSQL database, which any number of OS processes and machines may share. */
export async function createPostgresStore(options: PostgresStoreOptions): Promise<ProcessStore> {
  const { clock, mustExist = false, lockTimeoutMs = 10_000, notices = true } = options
  const schema = requireSchemaName(options.schema ?? DEFAULT_SCHEMA)
  const description = describePostgres(options.connectionString, schema)
  const address: PostgresAddress = { ...options, lockTimeoutMs }
  const statements = new PostgresStatements(schema)

  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw explain(isOwn(error) ? error : asStoreError(error), description)
    }
  }

  const changes = new ChangeWatch()
  const { identity, notifier } = await explained(async () => {
    const client = await connectClient(address)
    try {
      const identity = await openSchema({ client, schema, statements, description }, { mustExist })
      if (identity === undefined) throw notThere(description)
      if (!notices) {
        await client.end()
        return { identity, notifier: undefined }
      }
      const notifier = new Notifier({
        channel: channelOf(identity.registryId),
        connect: () => connectClient(address),
        onNotice: ids =>
          ids === undefined ? changes.tellAll() : changes.tell(new Map(ids.map(id => [id, undefined]))),
      })
      // It goes on as the connection for notices.
      await notifier.open(client)
      return { identity, notifier }
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  })
  const { registryId } = identity
  const platform = createPostgresPlatform({ registryId, clock, heldBack: createHeldBackWatch() })
  const pool = createPool(address)
  const transactions = new PostgresTransactions({
    pool,
    statements,
    description,
    retryForMs: lockTimeoutMs,
    platform,
    guesses: { rows: new RecentRows(), clock: new ServerClock(), doubts: new Doubts() },
    onCommit(changed) {
      changes.tell(changed)
      notifier?.announce(changed.keys())
    },
  })
  const inFlight = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const requireOpen = (): void => {
    if (closing === undefined) return
    throw new LeaseholdError('registry_closed', `The registry ${description} was closed. Open it again.`, {
      details: { registry: description },
    })
  }

  async function track<T>(work: Promise<T>): Promise<T> {
    inFlight.add(work)
    try {
      return await work
    } finally {
      inFlight.delete(work)
    }
  }

  async function close(): Promise<void> {
    changes.stop()
    await Promise.allSettled(inFlight)
    await Promise.all([notifier?.close(), pool.end()])
  }

  return {
    registryId,
    durabilityTier: 'durable',
    async transaction(body) {
      requireOpen()
      return track(transactions.transaction(body))
    },
    async read(body) {
      requireOpen()
      return track(transactions.read(body))
    },
    async join(host, body) {
      requireOpen()
      return track(joinTransaction(host, body, { statements, description, platform, identity }))
    },
    watch(listener, { everyMs }) {
      requireOpen()
      return changes.watch(listener, everyMs)
    },
    close: () => (closing ??= close()),
  }
}

const isOwn = (error: unknown): boolean => error instanceof LeaseholdError

const notThere = (description: string): LeaseholdError =>
  new LeaseholdError(
    'registry_unavailable',
    `There is no registry at ${description}. Check the address and the schema; the first worker or start makes the registry.`,
    { details: { registry: description } },
  )
