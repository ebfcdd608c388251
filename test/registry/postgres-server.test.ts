/** What happens to a server as a whole, or because of its other databases: these have one of their own. */
import { inspect } from 'node:util'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { checkFeed } from '../../src/cli/doctor/feed-check.ts'
import { isTransient } from '../../src/model/errors.ts'
import type { ChangeCursor, ProcessId } from '../../src/model/ids.ts'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { ANA, COMPLETED, changedIds, registration, TTL } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith } from '../model/fixtures.ts'
import { refuseSecretsIn } from '../support/scan/files.ts'
import { type PostgresServer, startPostgres } from '../support/start-postgres.ts'
import { connect, createDatabase, openPostgres } from './postgres-fixtures.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ beforeRemoval: refuseSecretsIn })
})
afterAll(() => server?.stop())

const BEGINNING = '' as ChangeCursor
const SOON = { timeout: 60_000, interval: 20 }

const openRegistry = async (connectionString: string): Promise<ProcessRegistry> =>
  createProcessRegistry(await openPostgres({ connectionString, schema: 'leasehold' }))

describe('the change feed', () => {
  /** Each leaves a transaction open in a database that has nothing to do with the registry, and says how to end it. */
  const HOLDERS = {
    async transaction(client: pg.Client) {
      const { rows } = await client
        .query('begin; select pg_current_xact_id(); select pg_backend_pid() as pid')
        .then(results => (Array.isArray(results) ? results[2] : results))
      return { id: String(rows[0].pid), end: 'rollback' }
    },
    async prepared_transaction(client: pg.Client) {
      await client.query(`begin; select pg_current_xact_id(); prepare transaction 'forgotten'`)
      return { id: 'forgotten', end: `rollback prepared 'forgotten'` }
    },
  }

  test.each(['transaction', 'prepared_transaction'] as const)(
    'is held back by a %s in another database and says so; nobody who waits notices',
    async kind => {
      const [connectionString, elsewhere] = [
        await createDatabase(server.url),
        await createDatabase(server.url),
      ]
      const [writer, reader] = [await openRegistry(connectionString), await openRegistry(connectionString)]
      const waiter = watchRegistry(reader)
      onTestFinished(() => waiter.close())
      await writer.register(registration({ id: 'before' }))
      await vi.waitFor(
        async () => expect(changedIds(await reader.changesSince(BEGINNING, 9))).toEqual(['before']),
        SOON,
      )
      const cursor = await reader.latestChange()

      const client = await connect(elsewhere)
      const { id, end } = await HOLDERS[kind](client)
      await writer.register(registration())
      expect(await reader.changesSince(cursor, 9)).toEqual({ changes: [], next: cursor })
      expect(await reader.latestChange()).toBe(cursor)

      const outcome = waiter.awaitOutcome('p')
      const begun = await writer.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: TTL })
      if (begun.type !== 'run') return expect.fail(begun.type)
      // Longer than a waiter looks for itself at first, so that only a notice can be quick.
      await new Promise(resolve => setTimeout(resolve, 50))
      const writtenAt = performance.now()
      await writer.completeWithLease(begun.lease, COMPLETED)
      expect(await outcome).toEqual(COMPLETED)
      expect(performance.now() - writtenAt).toBeLessThan(900)

      const database = new URL(elsewhere).pathname.slice(1)
      const held = { kind, id, database, forMs: expect.any(Number) }
      await vi.waitFor(
        async () =>
          expect(await reader.changesSince(cursor, 9)).toEqual({
            changes: [],
            next: cursor,
            heldBackBy: held,
          }),
        SOON,
      )

      expect(await checkFeed(reader)).toMatchObject({
        status: 'warn',
        found: expect.stringContaining(
          `${id}${kind === 'transaction' ? '' : '"'} in database ${database}, open for`,
        ),
        advice: expect.stringContaining(kind === 'transaction' ? `pg_terminate_backend(${id})` : `'${id}'`),
      })

      await client.query(end)
      await vi.waitFor(async () => expect(await checkFeed(reader)).toMatchObject({ status: 'ok' }), SOON)
      await vi.waitFor(
        async () =>
          expect(await reader.changesSince(cursor, 9)).toEqual({
            changes: [expect.objectContaining({ id: 'p' })],
            next: expect.any(String),
          }),
        SOON,
      )
    },
  )

  test('restored from a dump has a new timeline: old cursors are refused, and nothing is skipped', async () => {
    const connectionString = await createDatabase(server.url)
    const original = await openRegistry(connectionString)
    for (const id of ['a', 'b']) await original.register(registration({ id }))
    const cursor = (await original.changesSince(BEGINNING, 1)).next
    // What a dump restores: the rows in tables that another server made, with transaction ids that are ahead of its own.
    const restored = await createProcessRegistry(await openPostgres({ connectionString, schema: 'restored' }))
    await restored.close()
    const client = await connect(connectionString)
    await client.query(`
      update leasehold.processes set change_seq = change_seq + 10000000;
      truncate restored.meta, restored.processes cascade;
      insert into restored.meta select * from leasehold.meta;
      insert into restored.processes select * from leasehold.processes`)

    const again = createProcessRegistry(await openPostgres({ connectionString, schema: 'restored' }))
    expect(again.registryId).toBe(original.registryId)
    await expect(again.changesSince(cursor, 9)).rejects.toThrow(errorWith('cursor_expired'))
    const all = await again.changesSince(BEGINNING, 9)
    expect(changedIds(all)).toEqual(['a', 'b'])
    await again.append('a', { eventType: 'note', payload: null })
    expect(changedIds(await again.changesSince(all.next, 9))).toEqual(['a'])
    const latest = await again.latestChange()
    await again.close()
    // Only the first to open it moves it.
    const third = createProcessRegistry(await openPostgres({ connectionString, schema: 'restored' }))
    expect(await third.changesSince(latest, 9)).toEqual({ changes: [], next: latest })
  })

  test('expires its cursors when somebody counts a restore that nobody could see', async () => {
    const connectionString = await createDatabase(server.url)
    const registry = await openRegistry(connectionString)
    const cursor = await registry.latestChange()
    await (await connect(connectionString)).query('update leasehold.meta set restores = restores + 1')
    await expect(registry.changesSince(cursor, 9)).rejects.toThrow(errorWith('cursor_expired'))
  })
})

test('a server restarted in the middle of writes takes no acknowledged one back and leaves none half-written', async () => {
  const connectionString = await createDatabase(server.url)
  const registry = await openRegistry(connectionString)
  const store = await openPostgres({ connectionString, schema: 'leasehold' })
  const heard = new Set<ProcessId>()
  onTestFinished(
    store.watch(
      ids => {
        for (const id of ids ?? []) heard.add(id)
      },
      { everyMs: 1_000 },
    ),
  )
  await registry.register(registration())
  let acknowledged = 0
  let isOver = false
  /** As a caller does it: after a transient error the same write again, under the same key. */
  async function write(writer: number): Promise<number> {
    for (let count = 0; ; count++) {
      if (isOver) return count
      const request = { eventType: 'note', payload: null, replayKey: `${writer}:${count}` }
      for (let isWritten = false; !isWritten; ) {
        try {
          await registry.append('p', request)
          isWritten = true
          acknowledged += 1
        } catch (error) {
          if (!isTransient(error)) throw error
        }
      }
    }
  }
  const writing = Promise.all(Array.from({ length: 8 }, (_, index) => write(index)))
  for (let round = 0; round < 2; round++) {
    const target = acknowledged + 100
    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(target), SOON)
    await server.restart()
  }
  const target = acknowledged + 100
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(target), SOON)
  isOver = true
  const written = (await writing).reduce((sum, count) => sum + count, 0)

  const events = await registry.eventsAfter('p', 0, 100_000)
  expect(events).toHaveLength(written)
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
  expect(await registry.get('p')).toMatchObject({ lastSequence: written })
  // Notices come again as well.
  heard.clear()
  await vi.waitFor(async () => {
    await registry.append('p', { eventType: 'note', payload: null })
    expect(heard.has('p' as ProcessId)).toBe(true)
  }, SOON)
})

test('a wrong password is named, with advice and without showing it', async () => {
  const address = new URL(server.url)
  address.password = 's3cr3t'
  const opening = createPostgresStore({ connectionString: address.href })
  await expect(opening).rejects.toThrow(errorWith('registry_unavailable'))
  await expect(opening).rejects.toThrow('Check the user and the password')
  expect(inspect(await opening.catch(error => error), { depth: 9, showHidden: true })).not.toContain('s3cr3t')
})
