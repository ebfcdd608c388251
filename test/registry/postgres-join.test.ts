import pg from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { HostTransaction } from '../../src/registry/host-transaction.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import { COMPLETED, registration } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith, NOW } from '../model/fixtures.ts'
import { atDatabase, connect, createDatabase, openPostgres, randomName } from './postgres-fixtures.ts'
import { openSqlite } from './store-fixtures.ts'

const url = inject('postgresUrl')

/** A registry, and the host's own connection and table beside it, with a transaction begun. */
async function openHost(connectionString = url) {
  const schema = randomName()
  const registry = createProcessRegistry(await openPostgres({ connectionString, schema }))
  const client = await connect(connectionString)
  await client.query(`create table ${schema}.orders (id text)`)
  await client.query('begin')
  const order = (id: string) => client.query(`insert into ${schema}.orders values ($1)`, [id])
  const orders = async (): Promise<string[]> => {
    const reader = await connect(connectionString)
    return (await reader.query(`select id from ${schema}.orders order by id`)).rows.map(({ id }) => id)
  }
  return { registry, schema, client, order, orders }
}

/** Another connection of the host's, with a transaction begun. */
async function beginAnother(level = 'read committed'): Promise<pg.Client> {
  const client = await connect(url)
  await client.query(`begin isolation level ${level}`)
  return client
}

const isThere = async (registry: ProcessRegistry, id = 'p'): Promise<boolean> =>
  (await registry.get(id)) !== undefined

describe('a process registered in a transaction of the host’s', () => {
  test('exists once that is committed, with what the host has written, and is due at once', async () => {
    const { registry, client, order, orders } = await openHost()
    await order('42')
    const scope = { sessionId: 's' }
    const { type, record } = await registry.registerIn(client, registration(), { grant: { scope } })
    expect([type, record.status, await isThere(registry)]).toEqual(['registered', 'running', false])
    await client.query('commit')
    expect(await registry.get('p')).toEqual({ ...record, changeSeq: expect.any(Number) })
    expect(await registry.hasGrant(scope, 'p')).toBe(true)
    expect((await registry.dueProcesses(9)).map(due => due.record.id)).toEqual(['p'])
    expect(await orders()).toEqual(['42'])
  })

  test('keeps a large input, and nothing of it if that is rolled back', async () => {
    const { registry, client } = await openHost()
    const input = { type: 'engine', kind: 'survey', payload: 'x'.repeat(1024 * 1024) } as const
    await registry.registerIn(client, registration({ input }))
    await client.query('rollback')
    expect((await registry.collectBlobs()).examined).toBe(0)
    await client.query('begin')
    await registry.registerIn(client, registration({ input }))
    // Nothing of the host's is waited for.
    expect((await registry.collectBlobs()).examined).toBe(0)
    await client.query('commit')
    expect(await registry.get('p')).toMatchObject({ input })
    expect(await registry.collectBlobs()).toMatchObject({ examined: 1, collected: { count: 0 } })
  })

  test('never was if that is rolled back', async () => {
    const { registry, client, order, orders } = await openHost()
    await order('42')
    await registry.registerIn(client, registration(), { grant: { scope: { sessionId: 's' } } })
    await client.query('rollback')
    expect([await isThere(registry), await orders()]).toEqual([false, []])
    expect(await registry.listGrants({ sessionId: 's' })).toEqual([])
  })

  test('never was if the host’s connection is lost before the commit', async () => {
    const { registry, client, order, orders } = await openHost()
    await order('42')
    await registry.registerIn(client, registration())
    const { rows } = await client.query('select pg_backend_pid() as pid')
    const admin = await connect(url)
    await admin.query('select pg_terminate_backend($1, 10000)', [rows[0].pid])
    await expect(client.query('commit')).rejects.toThrow()
    expect([await isThere(registry), await orders()]).toEqual([false, []])
    await expect(registry.registerIn(client, registration())).rejects.toThrow(
      errorWith('registry_unavailable'),
    )
  })

  test('is told of with the commit and not before, also in other OS processes’ registries', async () => {
    const { registry, schema, client } = await openHost()
    const other = await openPostgres({ schema })
    const heard: string[] = []
    for (const [name, store] of Object.entries({ registry, other })) {
      const hear = (ids: readonly string[] = []) => heard.push(...ids.map(id => `${id} by ${name}`))
      onTestFinished(store.watch(hear, { everyMs: 60_000 }))
    }
    await registry.registerIn(client, registration())
    // Notices arrive in the order of their commits: when this one is heard, an earlier one has been.
    await registry.register(registration({ id: 'q' }))
    await expect.poll(() => heard.toSorted(), { timeout: 60_000 }).toEqual(['q by other', 'q by registry'])
    await client.query('commit')
    await expect
      .poll(() => heard.slice(2).toSorted(), { timeout: 60_000 })
      .toEqual(['p by other', 'p by registry'])
  })

  test('asks the host’s client one thing after the other', async () => {
    const { registry, client } = await openHost()
    const warnings: string[] = []
    const warn = ({ message }: Error) => void warnings.push(message)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    let running = 0
    const counted: HostTransaction = {
      async query(query) {
        running++
        expect(running).toBe(1)
        return client.query(query).finally(() => running--)
      },
    }
    const scope = { sessionId: 's' }
    await registry.registerIn(counted, registration(), { grant: { scope } })
    await client.query('commit')
    expect(await registry.hasGrant(scope, 'p')).toBe(true)
    expect(warnings).toEqual([])
  })

  test('is the existing one if it was registered before, and that row stays free for others', async () => {
    const { registry, client } = await openHost()
    await registry.register(registration())
    expect(await registry.registerIn(client, registration())).toMatchObject({ type: 'existing' })
    // While the host's transaction is open.
    const authority = { authority: 'workflow_key', workflowKey: 'p' } as const
    expect(await registry.complete('p', COMPLETED, authority)).toMatchObject({ status: 'completed' })
    await client.query('commit')
  })

  test('may be repeated in the same transaction, and one of several is taken back by itself', async () => {
    const { registry, client } = await openHost()
    await registry.registerIn(client, registration())
    await client.query('savepoint mine')
    await registry.registerIn(client, registration({ id: 'q' }))
    await client.query('rollback to savepoint mine')
    expect(await registry.registerIn(client, registration())).toMatchObject({ type: 'existing' })
    await client.query('commit')
    expect([await isThere(registry), await isThere(registry, 'q')]).toEqual([true, false])
  })
})

describe('the id of a pruned process', () => {
  async function openPruned() {
    const opened = await openHost()
    const { registry } = opened
    await registry.register(registration())
    const authority = { authority: 'workflow_key', workflowKey: 'p' } as const
    const { updatedAtMs } = await registry.complete('p', COMPLETED, authority)
    expect(await registry.prune({ before: updatedAtMs + 1 })).toMatchObject({ prunedProcesses: 1 })
    return opened
  }

  test('is used again only where that is said, and the tombstone stays if it is rolled back', async () => {
    const { registry, client } = await openPruned()
    const refused = registry.registerIn(client, registration())
    await expect(refused).rejects.toThrow(errorWith('process_no_longer_retained'))
    expect(await registry.registerIn(client, registration(), { reuse: true })).toMatchObject({
      type: 'registered',
    })
    await client.query('rollback')
    await expect(registry.register(registration())).rejects.toThrow(errorWith('process_no_longer_retained'))
  })

  test('is used again by one of two who ask for it at once', async () => {
    const { registry, client } = await openPruned()
    const first = await beginAnother()
    await registry.registerIn(first, registration(), { reuse: true })
    const second = registry.registerIn(client, registration(), { reuse: true })
    await untilWaiting(client)
    await first.query('commit')
    expect(await second).toMatchObject({ type: 'existing' })
    await client.query('commit')
    expect(await registry.get('p')).toMatchObject({ status: 'running' })
  })
})

describe('two transactions with one id', () => {
  test.each([
    { end: 'commit', type: 'existing' },
    { end: 'rollback', type: 'registered' },
  ])('the second waits for the first; after its $end it is $type', async ({ end, type }) => {
    const { registry, client, order, orders } = await openHost()
    const first = await beginAnother()
    await registry.registerIn(first, registration())
    await order('42')
    const second = registry.registerIn(client, registration())
    await untilWaiting(client)
    await first.query(end)
    expect(await second).toMatchObject({ type })
    await client.query('commit')
    expect([await isThere(registry), await orders()]).toEqual([true, ['42']])
  })

  test('and different registrations conflict, and the second’s own writes stay', async () => {
    const { registry, client, order, orders } = await openHost()
    const first = await beginAnother()
    await registry.registerIn(first, registration({ disposition: 'owner_bound' }))
    await order('42')
    const second = registry.registerIn(client, registration())
    const refused = expect(second).rejects.toThrow(errorWith('process_registration_conflict'))
    await untilWaiting(client)
    await first.query('commit')
    await refused
    await order('43')
    await client.query('commit')
    expect([await orders(), (await registry.get('p'))?.disposition]).toEqual([['42', '43'], 'owner_bound'])
  })

  test('of which one sees no later commits: it is told to begin anew', async () => {
    const { registry } = await openHost()
    const snapshot = await beginAnother('repeatable read')
    await snapshot.query('select 1')
    await registry.register(registration())
    await expect(registry.registerIn(snapshot, registration())).rejects.toThrow(errorWith('registry_locked'))
    await snapshot.query('rollback')
    await snapshot.query('begin isolation level repeatable read')
    expect(await registry.registerIn(snapshot, registration())).toMatchObject({ type: 'existing' })
    await snapshot.query('commit')
  })
})

describe('the host’s transaction goes on', () => {
  const mistakes = [
    { title: 'a registration that is invalid', code: 'process_registration_invalid', id: ' ' },
    { title: 'one that conflicts', code: 'process_registration_conflict', id: 'taken' },
  ] as const

  test.each(mistakes)('after $title', async ({ code, id }) => {
    const { registry, client, order, orders } = await openHost()
    await registry.register(registration({ id: 'taken', disposition: 'owner_bound' }))
    await order('42')
    await expect(registry.registerIn(client, registration({ id }))).rejects.toThrow(errorWith(code))
    await order('43')
    await client.query('commit')
    expect(await orders()).toEqual(['42', '43'])
  })

  test('after a wait for a lock that the host has limited', async () => {
    const { registry, client, order, orders } = await openHost()
    const first = await beginAnother()
    await registry.registerIn(first, registration())
    await client.query("set local lock_timeout = '20ms'")
    await expect(registry.registerIn(client, registration())).rejects.toThrow(errorWith('registry_locked'))
    await order('42')
    await client.query('commit')
    expect(await orders()).toEqual(['42'])
  })

  test('and what the server says is understood from another copy of the driver', async () => {
    const { registry, client } = await openHost()
    const first = await beginAnother()
    await registry.registerIn(first, registration())
    await client.query("set local lock_timeout = '20ms'")
    const foreign: HostTransaction = {
      query: query =>
        client.query(query).catch(({ message, code, severity }) => {
          throw Object.assign(new Error(message), { code, severity })
        }),
    }
    await expect(registry.registerIn(foreign, registration())).rejects.toThrow(errorWith('registry_locked'))
    await first.query('rollback')
    expect(await registry.registerIn(foreign, registration())).toMatchObject({ type: 'registered' })
  })
})

describe('is refused', () => {
  test('without a transaction, in a failed one, and on a pool', async () => {
    const { registry, client } = await openHost()
    const required = errorWith('transaction_required')
    await expect(client.query('select 1 / 0')).rejects.toThrow()
    await expect(registry.registerIn(client, registration())).rejects.toThrow(required)
    await client.query('rollback')
    await expect(registry.registerIn(client, registration())).rejects.toThrow(required)
    const pool = new pg.Pool({ connectionString: url })
    onTestFinished(() => pool.end())
    await expect(registry.registerIn(pool, registration())).rejects.toThrow(required)
    expect(await isThere(registry)).toBe(false)
  })

  test('on a database without the registry, and on one with another in its place', async () => {
    const { registry, schema } = await openHost()
    const elsewhere = await createDatabase()
    const client = await connect(elsewhere)
    for (const state of ['no registry', 'another']) {
      if (state === 'another') await openPostgres({ connectionString: elsewhere, schema })
      await client.query('begin')
      await expect(registry.registerIn(client, registration())).rejects.toThrow(
        errorWith('registry_mismatch'),
      )
      // Not even now has the host's transaction failed.
      expect((await client.query('commit')).command).toBe('COMMIT')
    }
  })

  test('on a copy of the registry’s own database', async () => {
    const database = await createDatabase()
    const name = new URL(database).pathname.slice(1)
    const schema = randomName()
    const store = await openPostgres({ connectionString: database, schema })
    await store.close()
    const [admin, copy] = [await connect(url), randomName()]
    await admin.query(`create database ${copy} template ${name}`)
    onTestFinished(async () => void (await admin.query(`drop database ${copy} with (force)`)))
    const registry = createProcessRegistry(await openPostgres({ connectionString: database, schema }))
    const client = await connect(atDatabase(url, copy))
    await client.query('begin')
    await expect(registry.registerIn(client, registration())).rejects.toThrow(errorWith('registry_mismatch'))
    await client.end()
  })

  test('where the registry is not in PostgreSQL', async () => {
    const client = await connect(url)
    await client.query('begin')
    for (const store of [createMemoryStore({ clock: () => NOW }), await openSqlite()]) {
      const registry = createProcessRegistry(store)
      const refused = registry.registerIn(client, registration())
      await expect(refused).rejects.toThrow(errorWith('transaction_not_joinable'))
      expect(await isThere(registry)).toBe(false)
    }
  })
})

/** Until this connection waits for a lock. */
async function untilWaiting(client: pg.Client): Promise<void> {
  const observer = await connect(url)
  const isWaiting = async () => {
    const { rows } = await observer.query(
      "select wait_event_type = 'Lock' as is_waiting from pg_stat_activity where pid = $1",
      [Reflect.get(client, 'processID')],
    )
    return rows[0].is_waiting
  }
  await expect.poll(isWaiting, { timeout: 60_000, interval: 5 }).toBe(true)
}
