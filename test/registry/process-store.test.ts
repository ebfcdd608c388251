import { describe, expect, test, vi } from 'vitest'
import { buildEvent } from '../../src/model/event.ts'
import { newGrant } from '../../src/model/grant.ts'
import { changedIds } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith, ID, journalEntry, NOW, record, stored } from '../model/fixtures.ts'
import {
  BEGINNING,
  FULL,
  guardOf,
  idOf,
  insert,
  insertLeased,
  load,
  STORES,
  workerNames,
  workerRow,
} from './store-fixtures.ts'

describe.each(STORES)('the $name store', ({ open }) => {
  test.each([
    ['a bare process', stored()],
    ['a process with every member set and hostile texts', FULL],
  ])('gives back %s as it was stored', async (_, process) => {
    const store = await open()
    await insert(store, process)
    const record = { ...process.record, changeSeq: expect.any(Number) }
    expect(await load(store)).toStrictEqual({ ...process, record })
    expect(await load(store, idOf('another'))).toBeUndefined()
  })

  test('shares nothing with its callers', async () => {
    const store = await open()
    const payload = { list: [1] }
    await insert(store, stored({ input: { type: 'engine', kind: 'survey', payload } }))
    payload.list.push(2)
    expect((await load(store))?.record.input).toMatchObject({ payload: { list: [1] } })

    const bytes = Buffer.from('env')
    await store.transaction(tx => tx.insertEnv('ref', bytes))
    bytes.fill(0)
    const loaded = await store.read(tx => tx.loadEnv('ref'))
    loaded?.fill(0)
    expect(Buffer.from((await store.read(tx => tx.loadEnv('ref'))) ?? []).toString()).toBe('env')
  })

  test('rolls everything back when the body throws', async () => {
    const store = await open()
    const lease = await insertLeased(store)
    const before = await load(store)
    const failing = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored({ id: idOf('other') }))
      yield* tx.saveProcess(stored({ attempts: 5, waits: FULL.record.waits }), { status: 'running' })
      yield* tx.saveDue(ID, NOW)
      yield* tx.saveLease(ID, { fence: 2 }, 1)
      yield* tx.insertEvent(buildEvent(record(), { eventType: 'x', payload: null }, NOW))
      yield* tx.saveJournalEntry(journalEntry(), guardOf(lease))
      yield* tx.saveWorker(workerRow('ana'))
      yield* tx.insertEnv('ref', Buffer.from('env'))
      yield* tx.saveGrant(newGrant({ sessionId: 's' }, ID))
      throw new Error('second thoughts')
    })
    await expect(failing).rejects.toThrow('second thoughts')
    const after = await store.read(function* (tx) {
      return {
        process: yield* tx.loadProcess(ID),
        other: yield* tx.loadProcess(idOf('other')),
        lease: yield* tx.loadLease(ID),
        events: yield* tx.listEvents(ID, 0, 10),
        journal: yield* tx.listJournal(ID, 0),
        workers: yield* tx.listWorkers('host'),
        grants: yield* tx.listGrantsOfProcess(ID),
        env: yield* tx.loadEnv('ref'),
        changed: changedIds(yield* tx.listChanges(BEGINNING, 10)),
      }
    })
    const unchanged = { process: before, lease: { fence: 1, holder: lease }, changed: [ID] }
    expect(after).toEqual({ ...unchanged, events: [], journal: [], workers: [], grants: [] })
  })

  test('refuses a body that waits for something, and writes nothing of it', async () => {
    const store = await open()
    const waiting = store.transaction(function* (tx) {
      yield* tx.insertProcess(stored())
      yield Promise.resolve()
    })
    await expect(waiting).rejects.toThrow(errorWith('internal'))
    expect(await load(store)).toBeUndefined()
  })

  test('refuses a second process of the same id', async () => {
    const store = await open()
    await insert(store)
    await expect(insert(store)).rejects.toThrow(errorWith('internal'))
  })

  test('tells its listeners of a commit, and no more once they have stopped', async () => {
    const store = await open()
    const listener = vi.fn<() => void>()
    const stop = store.watch(listener, { everyMs: 1_000_000 })
    await insert(store)
    await expect.poll(() => listener.mock.calls.length).toBe(1)
    stop()
    stop()
    await insert(store, stored({ id: idOf('other') }))
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('ends the work in flight when it is closed, and refuses more', async () => {
    const store = await open()
    const last = insert(store)
    await Promise.all([store.close(), store.close()])
    await last
    await expect(insert(store)).rejects.toThrow(errorWith('registry_closed'))
    await expect(load(store)).rejects.toThrow(errorWith('registry_closed'))
    await store.close()
  })

  test('reads one clock, in whole milliseconds', async () => {
    const store = await open()
    expect(await store.read(tx => tx.now())).toBe(NOW)
    expect(await store.transaction(tx => tx.now())).toBe(NOW)
    expect(await workerNames(store)).toEqual([])
  })
})
