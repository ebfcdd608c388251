import { describe, expect, test } from 'vitest'
import { buildEvent } from '../../src/model/event.ts'
import type { ChangeCursor } from '../../src/model/ids.ts'
import { changedIds } from '../../src/testing/registry-suite/fixtures.ts'
import { errorWith, ID, leaseOf, NOW, owner, stored } from '../model/fixtures.ts'
import { BEGINNING, FULL, HOSTILE, HOSTILE_JSON, idOf, insert, STORES, workerRow } from './store-fixtures.ts'

/** Above every id of these tests, in bytes. */
const LAST = '\u{10ffff}'

describe.each(STORES)('the $name store', ({ open }) => {
  describe('leases', () => {
    test('are replaced only at the expected fence', async () => {
      const store = await open()
      const lease = {
        fence: 1,
        holder: { ...leaseOf(owner('ana')), place: HOSTILE },
        workerIncarnation: 'w',
        backendToken: HOSTILE,
      }
      const save = (fence: number, expected: number) =>
        store.transaction(tx => tx.saveLease(ID, { ...lease, fence }, expected))
      expect(await save(1, 1)).toBe(false)
      expect(await save(1, 0)).toBe(true)
      expect(await save(2, 0)).toBe(false)
      expect(await store.read(tx => tx.loadLease(ID))).toStrictEqual(lease)
      expect(await save(2, 1)).toBe(true)
      expect(await save(3, 1)).toBe(false)
    })

    test('need no process: the registry holds some itself', async () => {
      const store = await open()
      const sweep = idOf('#sweep')
      const lease = { fence: 1, holder: { ...leaseOf(owner('ana')), processId: sweep } }
      expect(await store.transaction(tx => tx.saveLease(sweep, lease, 0))).toBe(true)
      expect(await store.read(tx => tx.loadLease(sweep))).toStrictEqual(lease)
    })

    test('are listed by their worker, and orphans by their host', async () => {
      const store = await open()
      const lease = leaseOf(owner('ana'))
      const deathProof = { owner: owner('ana'), fence: 1, provenAtMs: NOW }
      const opaque = { ...owner('eve'), liveness: { kind: 'opaque' } } as const
      await store.transaction(function* (tx) {
        const save = (id: string, patch: object) => tx.saveLease(idOf(id), { fence: 1, ...patch }, 0)
        yield* save('held', { holder: { ...lease, processId: idOf('held') }, workerIncarnation: 'w' })
        yield* save('elsewhere', {
          holder: { ...lease, processId: idOf('elsewhere') },
          workerIncarnation: 'v',
        })
        yield* save('released', { workerIncarnation: 'w' })
        yield* save('orphan', { deathProof, backendToken: 'token' })
        yield* save('failed already', { deathProof })
        yield* save('on an unknown host', {
          deathProof: { ...deathProof, owner: opaque },
          backendToken: 'token',
        })
      })
      const listed = await store.read(tx => tx.listLeasesOfWorker('w'))
      expect(listed).toStrictEqual([{ ...lease, processId: 'held' }])
      const orphan = { processId: 'orphan', fence: 1, backendToken: 'token' }
      expect(await store.read(tx => tx.listOrphans('host'))).toStrictEqual([orphan])
      expect(await store.read(tx => tx.listOrphans('another'))).toEqual([])
    })
  })

  test('keeps events in order, finds them by replay key and refuses both twice', async () => {
    const store = await open()
    await insert(store)
    const append = (lastSequence: number, replayKey?: string) => {
      const request = {
        eventType: HOSTILE,
        payload: HOSTILE_JSON,
        ...(replayKey === undefined ? {} : { replayKey }),
      }
      const event = buildEvent({ id: ID, lastSequence }, request, NOW)
      return store.transaction(tx => tx.insertEvent(event)).then(() => event)
    }
    const [first, second, third] = [await append(0, 'one'), await append(1), await append(2, HOSTILE)]
    await expect(append(2)).rejects.toThrow(errorWith('internal'))
    await expect(append(3, 'one')).rejects.toThrow(errorWith('internal'))

    expect(await store.read(tx => tx.listEvents(ID, 0, 2))).toStrictEqual([first.event, second.event])
    expect(await store.read(tx => tx.listEvents(ID, 2, 9))).toStrictEqual([third.event])
    expect(await store.read(tx => tx.listRecentEvents(ID, 2))).toStrictEqual([second.event, third.event])
    expect(await store.read(tx => tx.findEvent(ID, HOSTILE))).toStrictEqual(third)
    expect(await store.read(tx => tx.findEvent(ID, 'none'))).toBeUndefined()
  })

  test('lists processes by filter, in byte order of their ids, page by page', async () => {
    const store = await open()
    const waits = FULL.record.waits
    // In UTF-16 the last two would change places.
    const ids = ['B', 'a', 'ä', '\uffee', '𝄞'].map(idOf)
    for (const id of ids.toReversed()) await insert(store, stored({ id, waits: id === 'a' ? waits : [] }))
    await insert(
      store,
      stored({ id: idOf('done'), status: 'failed', identity: { kind: 'tool' }, silentSinceMs: NOW }),
    )
    const list = async (filter: object, after = '', limit = 10, through = LAST) =>
      (await store.read(tx => tx.listProcesses(filter, { after, through, limit }))).map(({ id }) => id)

    expect(await list({})).toEqual(ids)
    expect(await list({}, 'a', 2)).toEqual(['ä', '\uffee'])
    expect(await list({}, '', 10, 'ä')).toEqual(['B', 'a', 'ä'])
    expect(await list({}, 'a', 10, 'z')).toEqual([])
    expect(await store.read(tx => tx.greatestId())).toBe('𝄞')
    expect(await list({ status: 'any' })).toEqual(['B', 'a', 'done', ...ids.slice(2)])
    expect(await list({ status: 'failed', identityKind: 'tool' })).toEqual(['done'])
    expect(await list({ status: 'failed', identityKind: 'survey' })).toEqual([])
    expect(await list({ waiting: true })).toEqual(['a'])
    expect(await list({ waiting: false, status: 'any' }, 'B')).toEqual(['done', ...ids.slice(2)])
    expect(await list({ silent: true, status: 'any' })).toEqual(['done'])
    expect(await list({ silent: false }, 'ä')).toEqual(ids.slice(3))
    expect(
      (await store.read(tx => tx.listProcesses({ waiting: true }, { after: '', through: LAST, limit: 1 })))[0]
        ?.waits,
    ).toEqual(waits)
  })

  test('lists what is due, the most overdue first', async () => {
    const store = await open()
    expect(await store.read(tx => tx.nextDue())).toBeUndefined()
    for (const [id, dueAtMs] of [
      ['late', 5],
      ['later', 9],
      ['b', 7],
      ['a', 7],
      ['gone', 1],
    ] as const) {
      await insert(store, stored({ id: idOf(id) }, { dueAtMs }))
    }
    await insert(store, stored({ id: idOf('never') }))
    await store.transaction(tx => tx.saveDue(idOf('gone'), undefined))
    expect(await store.read(tx => tx.nextDue())).toBe(5)
    expect((await store.read(tx => tx.listDue(8, 10))).map(({ record }) => record.id)).toEqual([
      'late',
      'a',
      'b',
    ])
    expect((await store.read(tx => tx.listDue(8, 2))).map(({ record }) => record.id)).toEqual(['late', 'a'])
    await store.transaction(tx => tx.saveDue(idOf('never'), 2))
    expect(await store.read(tx => tx.nextDue())).toBe(2)
  })

  test('lists changes in order of commit, each once at its newest position', async () => {
    const store = await open()
    const changes = (cursor: ChangeCursor, limit = 10) => store.read(tx => tx.listChanges(cursor, limit))
    expect(await changes(BEGINNING)).toEqual({ changes: [], next: BEGINNING })
    const start = await store.read(tx => tx.latestChange())
    for (const id of ['a', 'b', 'c']) await insert(store, stored({ id: idOf(id) }))
    const two = await changes(BEGINNING, 2)
    expect(changedIds(two)).toEqual(['a', 'b'])
    expect(changedIds(await changes(start))).toEqual(['a', 'b', 'c'])

    await store.transaction(tx => tx.saveProcess(stored({ id: idOf('a') }), { status: 'running' }))
    await store.transaction(tx => tx.saveDue(idOf('b'), 1))
    const rest = await changes(two.next)
    expect(changedIds(rest)).toEqual(['c', 'a'])
    const latest = await store.read(tx => tx.latestChange())
    expect(await changes(latest)).toEqual({ changes: [], next: latest })
    expect(await changes(rest.next)).toEqual({ changes: [], next: rest.next })
  })

  test("refuses a change cursor that is none, or another registry's", async () => {
    const [store, another] = [await open(), await open()]
    const foreign = await another.read(tx => tx.latestChange())
    await expect(store.read(tx => tx.listChanges(foreign, 1))).rejects.toThrow(errorWith('registry_mismatch'))
    const nonsense = '17' as ChangeCursor
    await expect(store.read(tx => tx.listChanges(nonsense, 1))).rejects.toThrow(errorWith('usage'))
  })

  test('keeps workers by incarnation and lists those of a host', async () => {
    const store = await open()
    await store.transaction(function* (tx) {
      for (const name of ['ana', 'ben', 'eve']) yield* tx.saveWorker(workerRow(name))
      yield* tx.saveWorker({ ...workerRow('eve'), worker: { ...owner('eve'), liveness: { kind: 'opaque' } } })
      yield* tx.saveWorker({ ...workerRow('ana'), lastSeenMs: NOW + 1 })
      yield* tx.deleteWorker('ben-life')
      yield* tx.deleteWorker('nobody')
    })
    const listed = await store.read(tx => tx.listWorkers('host'))
    expect(listed).toStrictEqual([{ ...workerRow('ana'), lastSeenMs: NOW + 1 }])
  })

  test('keeps an environment as it was first stored under its ref', async () => {
    const store = await open()
    await store.transaction(tx => tx.insertEnv('ref', new Uint8Array([0, 255])))
    await store.transaction(tx => tx.insertEnv('ref', new Uint8Array([1])))
    expect(await store.read(tx => tx.loadEnv('ref'))).toEqual(new Uint8Array([0, 255]))
    expect(await store.read(tx => tx.loadEnv('none'))).toBeUndefined()
  })
})
