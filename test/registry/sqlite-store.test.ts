import { stat } from 'node:fs/promises'
import { setInterval } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { immediately, runSynchronously } from '../../src/registry/operation.ts'
import { SqliteConnection } from '../../src/registry/sql/sqlite/connection.ts'
import { GroupCommit } from '../../src/registry/sql/sqlite/group-commit.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { errorWith, stored } from '../model/fixtures.ts'
import { spawnChild } from './spawn-child.ts'
import { BEGINNING, idOf, openSqlite, temporaryPath, workerNames, workerRow } from './store-fixtures.ts'

const save = (store: ProcessStore, name: string): Promise<void> =>
  store.transaction(tx => tx.saveWorker(workerRow(name)))

describe('transactions that are ready together', () => {
  test('commit although one of them throws', async () => {
    const store = await openSqlite()
    const settled = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        store.transaction(function* (tx) {
          yield* tx.saveWorker(workerRow(`worker ${index}`))
          if (index === 20) throw new Error('not me')
          return index
        }),
      ),
    )
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([
      { status: 'rejected', reason: new Error('not me') },
    ])
    const names = await workerNames(store)
    expect(names).toHaveLength(49)
    expect(names).not.toContain('worker 20')
  })

  test('keep their places in the change feed when one of them is taken back', async () => {
    const store = await openSqlite()
    const add = (name: string, isWrong = false) =>
      store.transaction(function* (tx) {
        yield* tx.insertProcess(stored({ id: idOf(name) }))
        if (isWrong) throw new Error('not me')
      })
    // Wherever the wrong one stands among them, it may be the one that has made room in the feed for all.
    for (const round of ['a', 'b', 'c']) {
      const members = [0, 1, 2].map(index =>
        add(`${round}${index}`, index === ['a', 'b', 'c'].indexOf(round)),
      )
      await Promise.allSettled(members)
    }
    for (const name of ['d', 'e', 'f']) await add(name)
    const { changes, next } = await store.read(tx => tx.listChanges(BEGINNING, 100))
    const order = ['a1', 'a2', 'b0', 'b2', 'c0', 'c1', 'd', 'e', 'f']
    expect(changes.map(({ id }) => id)).toEqual(order)
    expect((await store.read(tx => tx.listChanges(next, 100))).changes).toEqual([])
  })

  test('share one commit, so that listeners are told once', async () => {
    const store = await openSqlite()
    const listener = vi.fn<() => void>()
    store.watch(listener, { everyMs: 1_000_000 })
    await Promise.all(Array.from({ length: 50 }, (_, index) => save(store, `worker ${index}`)))
    await save(store, 'one more')
    await expect.poll(() => listener.mock.calls.length).toBe(2)
  })

  test('are invisible to readers until all of them are committed', async () => {
    const path = await temporaryPath()
    const [store, other] = [await openSqlite({ path }), await openSqlite({ path })]
    const seen: Promise<string[]>[] = []
    const write = (name: string) =>
      store.transaction(function* (tx) {
        yield* tx.saveWorker(workerRow(name))
        // Here in the middle of the shared commit: the other store's read runs at once, this one's own comes after it.
        seen.push(workerNames(other), workerNames(store))
      })
    await Promise.all([write('first'), write('second')])
    const both = ['first', 'second']
    expect(await Promise.all(seen)).toEqual([[], both, [], both])
  })

  test('run in the order in which they were submitted, and see what came before', async () => {
    const store = await openSqlite()
    const see = (name: string) =>
      store.transaction(function* (tx) {
        const before = (yield* tx.listWorkers('host')).length
        yield* tx.saveWorker(workerRow(name))
        return before
      })
    expect(await Promise.all(['a', 'b', 'c'].map(see))).toEqual([0, 1, 2])
  })
})

test('the verbs of a transaction that is over are refused, not committed one by one', async () => {
  const store = await openSqlite()
  const kept = await store.transaction(tx => immediately(() => tx))
  expect(() => runSynchronously(kept.saveWorker(workerRow('late')))).toThrow(
    errorWith('registry_unavailable'),
  )
  expect(await workerNames(store)).toEqual([])
})

describe('when the disk is full', () => {
  /** A group commit over a database that may not grow beyond some pages: SQLite's own way to a full disk. */
  async function almostFull() {
    const connection = new SqliteConnection(await temporaryPath())
    connection.exec('pragma journal_mode = wal; create table kept (text text)')
    connection.exec('pragma max_page_count = 20')
    const commits = new GroupCommit(connection, { lockTimeoutMs: 1_000, onCommit: () => {} })
    const keep = (bytes: number) => connection.exec(`insert into kept values ('${'x'.repeat(bytes)}')`)
    return { connection, commits, keep, count: () => connection.value('select count(*) from kept') }
  }

  test('only the transaction that does not fit is refused', async () => {
    const { connection, commits, keep, count } = await almostFull()
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => commits.submit(() => keep(index === 4 ? 1_000_000 : 10))),
    )
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(
      Array.from({ length: 10 }, (_, index) => index !== 4),
    )
    expect(count()).toBe(9)
    expect(connection.isTransaction).toBe(false)
  })

  test('a body that swallows the error commits nothing, and harms nobody', async () => {
    const { commits, keep, count } = await almostFull()
    const swallowing = commits.submit(() => {
      keep(10)
      try {
        keep(1_000_000)
      } catch {}
    })
    const [first, second] = await Promise.allSettled([swallowing, commits.submit(() => keep(10))])
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
    expect(count()).toBe(1)
  })

  test('work goes on as soon as there is room again', async () => {
    const { connection, commits, keep } = await almostFull()
    await expect(commits.submit(() => keep(1_000_000))).rejects.toThrow('full')
    connection.exec('pragma max_page_count = 1000')
    await commits.submit(() => keep(1_000_000))
  })
})

test('a change that moves a process in no list writes two pages: its row, and its place in the feed', async () => {
  const path = await temporaryPath()
  const store = await openSqlite({ path })
  const found = stored({ id: idOf('a') })
  await store.transaction(tx => tx.insertProcess(found))
  const logSize = async () => (await stat(`${path}-wal`)).size
  const before = await logSize()
  const next = { ...found, record: { ...found.record, lastSequence: found.record.lastSequence + 1 } }
  const isSaved = await store.transaction(tx => tx.saveProcess(next, { status: 'running' }))
  expect(isSaved).toBe(true)
  const frame = 24 + 4_096
  expect((await logSize()) - before).toBe(2 * frame)
})

test('a COMMIT that fails leaves no transaction open, and each member is tried alone', async () => {
  const connection = new SqliteConnection(await temporaryPath())
  // A deferred constraint is checked by COMMIT itself.
  connection.exec(`
    create table parent (id integer primary key);
    create table child (parent integer references parent (id) deferrable initially deferred)`)
  const commits = new GroupCommit(connection, { lockTimeoutMs: 1_000, onCommit: () => {} })
  const insertChild = (sql: string) => commits.submit(() => connection.exec(sql))
  const settled = await Promise.allSettled([
    insertChild('insert into child values (null)'),
    insertChild('insert into child values (17)'),
    insertChild('insert into child values (null)'),
  ])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(connection.value('select count(*) from child')).toBe(2)
  expect(connection.isTransaction).toBe(false)
})

describe('while another OS process holds the write lock', () => {
  test('timers keep firing, reads are answered, and the transaction commits once it is free', async () => {
    const path = await temporaryPath()
    const store = await openSqlite({ path })
    const holder = spawnChild('hold the write lock', path)
    expect(await holder.nextLine()).toBe('holding')
    let isSaved = false
    const saving = save(store, 'patient').then(() => {
      isSaved = true
    })
    // 200 timers of 10 ms: two seconds, if the event loop is never held up, and for ever if it were.
    let ticks = 0
    for await (const _ of setInterval(10)) if (++ticks === 200) break
    expect(isSaved).toBe(false)
    expect(await workerNames(store)).toEqual([])
    holder.tellToGoOn()
    await saving
    expect(await holder.nextLine()).toBe('released')
    expect(await workerNames(store)).toEqual(['patient'])
  })

  test('a transaction gives up at its deadline, naming the path', async () => {
    const path = await temporaryPath()
    const store = await openSqlite({ path, lockTimeoutMs: 50 })
    const holder = spawnChild('hold the write lock', path)
    await holder.nextLine()
    const settled = await Promise.allSettled([save(store, 'a'), save(store, 'b')])
    const refusal = { status: 'rejected', reason: errorWith('registry_locked') }
    expect(settled).toEqual([refusal, refusal])
    await expect(save(store, 'c')).rejects.toThrow(path)
    await expect(openSqlite({ path, lockTimeoutMs: 50 })).resolves.toBeDefined()
    await holder.kill()
    await save(store, 'd')
    expect(await workerNames(store)).toEqual(['d'])
  })
})

describe('several OS processes on one file', () => {
  test('open a new one at once: one makes it and all write', { timeout: 120_000 }, async () => {
    const path = await temporaryPath()
    const children = Array.from({ length: 8 }, () => spawnChild('open and write', path))
    await Promise.all(children.map(child => child.nextLine()))
    for (const child of children) child.tellToGoOn()
    const registryIds = await Promise.all(children.map(child => child.nextLine()))
    const store = await openSqlite({ path })
    expect(new Set(registryIds)).toEqual(new Set([store.registryId]))
    expect((await workerNames(store)).toSorted()).toEqual(children.map(({ pid }) => `pid ${pid}`).toSorted())
  })

  test('learn of each other’s commits', async () => {
    const path = await temporaryPath()
    const store = await openSqlite({ path })
    const child = spawnChild('open and write', path)
    await child.nextLine()
    const changed = new Promise<void>(resolve => {
      store.watch(
        () => void workerNames(store).then(names => names.includes(`pid ${child.pid}`) && resolve()),
        { everyMs: 5 },
      )
    })
    // The poller does not keep this OS process alive, so something else has to.
    const alive = globalThis.setInterval(() => {}, 1_000)
    child.tellToGoOn()
    await changed
    clearInterval(alive)
  })

  test('keep the order of their commits in the change feed, however they take turns', async () => {
    const path = await temporaryPath()
    const [one, other] = [await openSqlite({ path }), await openSqlite({ path })]
    const reader = await openSqlite({ path })
    const add = (store: ProcessStore, name: string, isWrong = false) =>
      store.transaction(function* (tx) {
        yield* tx.insertProcess(stored({ id: idOf(name) }))
        if (isWrong) throw new Error('not me')
      })
    const seen: string[] = []
    let cursor = await reader.read(tx => tx.latestChange())
    const look = async () => {
      const { changes, next } = await reader.read(tx => tx.listChanges(cursor, 100))
      seen.push(...changes.map(({ id }) => id))
      cursor = next
    }
    await expect(add(one, 'taken back', true)).rejects.toThrow('not me')
    const order = ['a', 'b', 'c', 'd', 'e', 'f'].map(idOf)
    for (const [index, name] of order.entries()) {
      await add([one, one, other][index % 3] ?? one, name)
      await look()
      const latest = await reader.read(tx => tx.latestChange())
      expect(latest).toBe(cursor)
    }
    expect(seen).toEqual(order)
  })
})
