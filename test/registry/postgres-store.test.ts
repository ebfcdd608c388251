import { inspect } from 'node:util'
import pg from 'pg'
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import type { ProcessId } from '../../src/model/ids.ts'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { postgresRegistry } from '../../src/registry/source.ts'
import { createPostgresStore } from '../../src/registry/sql/postgres-store.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { watchRegistry } from '../../src/registry/watch.ts'
import { ANA, BEN, COMPLETED, registration, TTL } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith, ID, journalEntry, leaseOf, NOW, owner, stored } from '../model/fixtures.ts'
import { connect, openPostgres, randomName } from './postgres-fixtures.ts'
import { spawnPostgresChild } from './spawn-child.ts'
import { guardOf, idOf, insert, insertLeased, load } from './store-fixtures.ts'

const url = inject('postgresUrl')

const openRegistry = async (options: Parameters<typeof openPostgres>[0] = {}) =>
  createProcessRegistry(await openPostgres(options))

/** Until another session waits for a lock of this schema's rows. */
async function untilSomebodyWaits(schema: string): Promise<void> {
  const client = await connect(url)
  await vi.waitFor(
    async () => {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like $1`,
        [`%${schema}%`],
      )
      expect(rowCount).toBeGreaterThan(0)
    },
    { timeout: 60_000, interval: 5 },
  )
}

describe('time', () => {
  test('is the database’s, so that a worker whose clock is wrong neither loses nor steals a lease', async () => {
    const schema = randomName()
    const registry = await openRegistry({ schema })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
    onTestFinished(() => void vi.useRealTimers())
    await registry.register(registration())
    const begun = await registry.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: TTL })
    if (begun.type !== 'run') return expect.fail(begun.type)
    // A day later by this client's clock.
    vi.setSystemTime(Date.now() + 86_400_000)
    expect(await registry.beginAttempt('p', { worker: BEN, attempt: 'two', ttlMs: TTL })).toMatchObject({
      type: 'busy',
    })
    await registry.renew(begun.lease, TTL)
    // A year before.
    vi.setSystemTime(Date.now() - 366 * 86_400_000)
    const ended = await registry.completeWithLease(begun.lease, COMPLETED)
    expect(Math.abs(ended.updatedAtMs - ended.createdAtMs)).toBeLessThan(TTL)
  })

  test('is read after the lock, so that a lease which lapsed meanwhile is seen to have', async () => {
    const schema = randomName()
    const registry = await openRegistry({ schema })
    await registry.register(registration())
    const begun = await registry.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: 300 })
    if (begun.type !== 'run') return expect.fail(begun.type)
    const locker = await connect(url)
    await locker.query(`begin; select from ${schema}.processes where id = 'p' for update`)
    const renewing = registry.renew(begun.lease, TTL)
    await untilSomebodyWaits(schema)
    await locker.query('select pg_sleep(0.4); commit')
    await expect(renewing).rejects.toThrow(errorWith('process_lease_lost'))
  })
})

test('a step is not written under a lease that has lapsed by the database’s time', async () => {
  const registry = await openRegistry()
  await registry.register(registration())
  const begun = await registry.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: 300 })
  if (begun.type !== 'run') return expect.fail(begun.type)
  const client = await connect(url)
  await client.query('select pg_sleep(0.4)')
  const entry = journalEntry({ processId: idOf('p') })
  await expect(registry.saveJournalEntry(begun.lease, entry)).rejects.toThrow(errorWith('process_lease_lost'))
  expect(await registry.journal('p')).toEqual([])
  const again = await registry.beginAttempt('p', { worker: ANA, attempt: 'two', ttlMs: TTL })
  if (again.type !== 'run') return expect.fail(again.type)
  await registry.saveJournalEntry(again.lease, entry)
  expect(await registry.journal('p')).toEqual([entry])
})

describe('races', () => {
  test('of fifty identical registrations at once, one makes the row and all get it', async () => {
    const schema = randomName()
    const registries = await Promise.all([openRegistry({ schema }), openRegistry({ schema })])
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (registries[index % 2] ?? expect.fail()).register(registration()),
      ),
    )
    expect(results.filter(({ type }) => type === 'registered')).toHaveLength(1)
    expect(new Set(results.map(({ record }) => record.incarnation)).size).toBe(1)
  })

  test('of fifty first claims of a duty at once, one is acquired', async () => {
    const registry = await openRegistry()
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        registry.claimDuty('sweep', { ...ANA, incarnationId: `life-${index}` }, { ttlMs: TTL }),
      ),
    )
    expect(claims.filter(({ type }) => type === 'acquired')).toHaveLength(1)
    const holders = claims.map(
      claim => (claim.type === 'busy' ? claim.holder : claim.lease).owner.incarnationId,
    )
    expect(new Set(holders).size).toBe(1)
  })

  test('a successor waits for a journal write that was let in, and reads it', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema, clock: () => NOW })
    const lease = await insertLeased(store)
    const gate = await closeCommits(schema, 'journal')
    const writing = store.transaction(tx => tx.saveJournalEntry(journalEntry(), guardOf(lease)))
    await gate.untilSomebodyWaits()
    const takingOver = store.transaction(function* (tx) {
      yield* tx.loadProcess(ID)
      const current = yield* tx.loadLease(ID)
      yield* tx.saveLease(ID, { fence: 2, holder: leaseOf(owner('ben'), { fence: 2 }) }, 1)
      return { fence: current?.fence, journal: yield* tx.listJournal(ID, 0) }
    })
    await untilSomebodyWaits(schema)
    await gate.open()
    expect(await writing).toBe(true)
    expect(await takingOver).toEqual({ fence: 1, journal: [journalEntry()] })
  })

  test('transactions that lock the same rows in opposite order both come through', async () => {
    const store = await openPostgres()
    for (const id of ['a', 'b']) await insert(store, stored({ id: idOf(id) }))
    let meetings = 0
    const bump = (first: string, second: string) =>
      store.transaction(function* (tx) {
        const loaded = [yield* tx.loadProcess(idOf(first))]
        // Only the first run waits until the other one holds its first row as well.
        if (++meetings <= 2) yield* held(tx, meetings)
        loaded.push(yield* tx.loadProcess(idOf(second)))
        for (const process of loaded) {
          if (process === undefined) throw new Error('both were inserted')
          yield* tx.saveProcess({ ...process, failures: process.failures + 1 }, { status: 'running' })
        }
      })
    function* held(tx: Parameters<Parameters<ProcessStore['transaction']>[0]>[0], _: number) {
      // A waiting transaction waits for nothing but its store: it looks until the other one is there.
      while (meetings < 2) yield* tx.now()
    }
    await Promise.all([bump('a', 'b'), bump('b', 'a')])
    // One was chosen by the server to fail, and was run again.
    expect(meetings).toBeGreaterThan(2)
    expect((await load(store, idOf('a')))?.failures).toBe(2)
    expect((await load(store, idOf('b')))?.failures).toBe(2)
  })
})

/** Keeps transactions that insert into the table from ending their commit. */
async function closeCommits(schema: string, table: string) {
  const client = await connect(url)
  await client.query(`
    create function ${schema}.wait() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(hashtext('${schema}')); return null; end $$;
    create constraint trigger wait after insert on ${schema}.${table}
      deferrable initially deferred for each row execute function ${schema}.wait();
    select pg_advisory_lock(hashtext('${schema}'))`)
  return {
    untilSomebodyWaits: () =>
      vi.waitFor(
        async () => {
          const { rowCount } = await client.query(
            `select from pg_locks where locktype = 'advisory' and not granted
               and objid = (hashtext($1)::bigint & 4294967295)::oid`,
            [schema],
          )
          expect(rowCount).toBe(1)
        },
        { timeout: 10_000, interval: 5 },
      ),
    open: () => client.query('select pg_advisory_unlock(hashtext($1))', [schema]),
  }
}

describe('a client', () => {
  test('killed in the middle of a transaction leaves nothing of it, and no lock', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema })
    const child = spawnPostgresChild('hang in a transaction', url, schema)
    expect(await child.nextLine()).toBe('writing')
    const appending = createProcessRegistry(store).append('p', { eventType: 'note', payload: 'after' })
    await untilSomebodyWaits(schema)
    await child.kill()
    expect(await appending).toMatchObject({ type: 'appended', event: { sequence: 2 } })
    expect((await load(store, idOf('p')))?.failures).toBe(0)
  })

  test('frozen in the middle of a transaction loses it, so that others go on', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema })
    const child = spawnPostgresChild('hang in a transaction', url, schema)
    expect(await child.nextLine()).toBe('writing')
    await createProcessRegistry(store).append('p', { eventType: 'note', payload: 'after' })
    expect((await load(store, idOf('p')))?.failures).toBe(0)
  })

  test('whose `begin` is refused writes nothing', async () => {
    const store = await openPostgres()
    const parse = pg.Connection.prototype.parse
    const spy = vi.spyOn(pg.Connection.prototype, 'parse').mockImplementation(function (
      this: pg.Connection,
      query,
      more,
    ) {
      if (query.text !== 'begin') return Reflect.apply(parse, this, [query, more])
      spy.mockRestore()
      return Reflect.apply(parse, this, [{ ...query, text: 'select cancelled before it began' }, more])
    })
    const writing = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored())
      yield* tx.nextDue()
      yield* tx.saveDue(ID, 1)
    })
    await expect(writing).rejects.toThrow(errorWith('internal'))
    expect(await load(store)).toBeUndefined()
  })

  test('killed while it writes for ever has written whole events up to some point', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema })
    await createProcessRegistry(store).register(registration())
    const child = spawnPostgresChild('append for ever', url, schema)
    let acknowledged = 0
    while (acknowledged < 20) acknowledged = Number(await child.nextLine())
    await child.kill()
    // In one snapshot: what the server had been sent whole by then it may still be writing.
    const [events, process] = await store.read(function* (tx) {
      return [yield* tx.listEvents(idOf('p'), 0, 100_000), yield* tx.loadProcess(idOf('p'))] as const
    })
    expect(events.length).toBeGreaterThanOrEqual(acknowledged)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
    expect(process?.record.lastSequence).toBe(events.length)
  })

  test('that gives up on a lock names the registry, and commits nothing', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema, lockTimeoutMs: 200 })
    await insert(store)
    const locker = await connect(url)
    await locker.query(`begin; select from ${schema}.processes for update`)
    const saving = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored({ id: idOf('other') }))
      yield* tx.loadProcess(ID)
    })
    await expect(saving).rejects.toThrow(errorWith('registry_locked'))
    await expect(saving).rejects.toThrow(schema)
    await locker.query('rollback')
    expect(await load(store, idOf('other'))).toBeUndefined()
  })

  test('that swallows the error of a statement commits nothing, and is told', async () => {
    const schema = randomName()
    const store = await openPostgres({ schema, lockTimeoutMs: 200 })
    await insert(store)
    const locker = await connect(url)
    await locker.query(`begin; select from ${schema}.processes for update`)
    const swallowing = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored({ id: idOf('other') }))
      try {
        yield* tx.loadProcess(ID)
      } catch {}
    })
    await expect(swallowing).rejects.toThrow(errorWith('registry_locked'))
    expect(await load(store, idOf('other'))).toBeUndefined()
  })

  test('is told of a write that failed unseen, by the next statement or by the commit', async () => {
    const store = await openPostgres()
    await insert(store)
    const seen: unknown[] = []
    const failing = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored({ id: idOf('other') }))
      yield* tx.insertProcess(stored())
      try {
        yield* tx.nextDue()
      } catch (error) {
        seen.push((error as pg.DatabaseError).code)
        throw error
      }
    })
    await expect(failing).rejects.toThrow(errorWith('internal'))
    expect(new Set(seen)).toEqual(new Set(['23505']))
    await expect(insert(store)).rejects.toThrow(errorWith('internal'))
    expect(await load(store, idOf('other'))).toBeUndefined()
  })

  test('that keeps the verbs of a transaction cannot use them afterwards', async () => {
    const store = await openPostgres()
    const kept = await store.transaction(function* (tx) {
      yield* tx.now()
      return tx
    })
    const late = store.transaction(() => kept.loadProcess(ID))
    await expect(late).rejects.toThrow('it has ended')
  })
})

describe('values', () => {
  test('of a megabyte come back whole', async () => {
    const registry = await openRegistry()
    const payload = { text: '𝄞\u0000"\\'.repeat(2 ** 18), list: Array.from({ length: 10_000 }, (_, i) => i) }
    await registry.register(registration())
    await registry.append('p', { eventType: 'note', payload })
    const [event] = await registry.eventsAfter('p', 0)
    expect(event?.payload).toEqual(payload)
  })

  test('of texts that are not JSON keep NUL, in the order of their bytes', async () => {
    const registry = await openRegistry()
    await registry.register(registration())
    const keys = ['a', 'a\u0000', 'a\u0001', 'a\u0001\u0001', 'a\u0002', 'a\u0001\u0000']
    for (const key of keys) await registry.append('p', { eventType: 'note', payload: key, replayKey: key })
    for (const key of keys) {
      const again = await registry.append('p', { eventType: 'note', payload: key, replayKey: key })
      expect(again).toMatchObject({ type: 'replayed', event: { invocation: { replay: { key } } } })
    }
  })

  test('that no index can hold are refused by name', async () => {
    const registry = await openRegistry()
    await registry.register(registration())
    const replayKey = Array.from({ length: 4_000 }, () => Math.random().toString(36)).join('')
    const appending = registry.append('p', { eventType: 'note', payload: null, replayKey })
    await expect(appending).rejects.toThrow(errorWith('payload_too_large'))
  })
})

describe('what people read', () => {
  const SECRET = 's3cr3t%2F'
  const secretUrl = (host: string) => `postgres://ana:${SECRET}@${host}/db?sslpassword=${SECRET}`

  test('a description has everything but the secrets', () => {
    expect(postgresRegistry({ connectionString: secretUrl('db.example:6432') }).description).toBe(
      'postgres://ana@db.example:6432/db',
    )
    expect(
      postgresRegistry({ connectionString: 'postgres:///db?host=/run/postgresql', schema: 'mine' })
        .description,
    ).toBe('postgres:///run/postgresql/db (schema mine)')
  })

  test.each([
    ['no URL at all', `ana:${SECRET}@db`],
    ['a password with a slash', `postgres://ana:1/${SECRET}@db/x`],
    ['another scheme', `mysql://ana:${SECRET}@db/x`],
  ])('%s is refused without a word of it', async (_, connectionString) => {
    const opening = createPostgresStore({ connectionString })
    await expect(opening).rejects.toThrow(errorWith('usage'))
    expect(inspect(await opening.catch(error => error), { depth: 9 })).not.toContain(SECRET)
  })

  test.each([
    ['a server that is not there', () => secretUrl('127.0.0.1:1'), 'Check the address'],
    ['a database that is not there', () => url.replace(/\/[^/]*$/, '/none'), 'Create the database'],
  ])('%s is named, with advice and without secrets', async (_, address, advice) => {
    const opening = createPostgresStore({ connectionString: address(), lockTimeoutMs: 500 })
    await expect(opening).rejects.toThrow(errorWith('registry_unavailable'))
    await expect(opening).rejects.toThrow(advice)
    const shown = inspect(await opening.catch(error => error), { depth: 9, showHidden: true })
    expect(shown).not.toContain(SECRET)
    expect(shown).not.toContain(decodeURIComponent(SECRET))
  })
})

test('other OS processes hear which rows have changed', async () => {
  const schema = randomName()
  const store = await openPostgres({ schema })
  const heard = new Set<ProcessId>()
  const hear = (ids: readonly ProcessId[] = []) => {
    for (const id of ids) heard.add(id)
  }
  onTestFinished(store.watch(hear, { everyMs: 1_000 }))
  const child = spawnPostgresChild('open and write', url, schema)
  await child.nextLine()
  child.tellToGoOn()
  await vi.waitFor(() => expect([...heard]).toEqual([`pid ${child.pid}`]), { timeout: 60_000 })
})

test('without notices no connection listens, and others hear at their own next look', async () => {
  const schema = randomName()
  const application_name = schema
  const open = async () =>
    createProcessRegistry(await openPostgres({ schema, notices: false, pool: { application_name } }))
  const writer = await open()
  const waiter = watchRegistry(await open())
  await writer.register(registration())
  const outcome = waiter.awaitOutcome('p')
  const begun = await writer.beginAttempt('p', { worker: ANA, attempt: 'one', ttlMs: TTL })
  if (begun.type !== 'run') return expect.fail(begun.type)
  await writer.completeWithLease(begun.lease, COMPLETED)
  expect(await outcome).toEqual(COMPLETED)
  const observer = await connect(url)
  const { rowCount } = await observer.query(
    `select from pg_stat_activity where application_name = $1 and query ilike 'listen%'`,
    [application_name],
  )
  expect(rowCount).toBe(0)
})
