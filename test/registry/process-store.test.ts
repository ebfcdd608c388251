import { describe, expect, test, vi } from 'vitest'
import { buildEvent } from '../../src/model/event.ts'
import type { ChangeCursor, LeaseToken } from '../../src/model/ids.ts'
import type { Json } from '../../src/model/json.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import type { StoredProcess } from '../../src/model/process.ts'
import { errorWith, ID, journalEntry, leaseOf, NOW, owner, record, stored, TTL } from '../model/fixtures.ts'
import {
  BEGINNING,
  guardOf,
  idOf,
  insert,
  insertLeased,
  load,
  STORES,
  workerNames,
  workerRow,
} from './store-fixtures.ts'

const HOSTILE = 'nul \u0000, clef 𝄞, quote \' " ; -- %'
const HOSTILE_JSON = JSON.parse('{"__proto__":{"constructor":1},"\\u0000":"𝄞","lone":"\\ud800"}') as Json

/** Every optional member set, every text hostile. */
const full: StoredProcess = stored(
  {
    input: { type: 'tool_call', call: { callId: HOSTILE, toolName: HOSTILE, args: HOSTILE_JSON } },
    identity: { kind: HOSTILE, label: HOSTILE },
    provenance: {
      originator: { type: 'session', scope: { sessionId: HOSTILE } },
      causedBy: { type: 'turn', sessionId: 's', turnId: 't' },
    },
    wakeTarget: { sessionId: HOSTILE, agentFrameId: HOSTILE },
    maxAttempts: 3,
    outcome: { status: 'completed', value: HOSTILE_JSON },
    status: 'completed',
    externalRef: { backend: 'temporal', id: HOSTILE, metadata: HOSTILE_JSON },
    firstStarted: { owner: owner('ana'), attempt: 'a', fence: 1, startedAtMs: NOW },
    cancelRequest: { requestedAtMs: NOW, reason: HOSTILE },
    abandonRequest: { requestedAtMs: NOW, requestedBy: HOSTILE },
    waits: [
      { key: 'z', sinceMs: NOW, on: { type: 'timer' } },
      { key: HOSTILE, sinceMs: NOW, untilMs: NOW + 5, on: { type: 'timer' } },
    ],
    silentSinceMs: NOW,
    attempts: 7,
    lastSequence: 9,
  },
  {
    dueAtMs: NOW,
    submissions: 1,
    failures: 2,
    attemptsSpent: 3,
    isAttemptOpen: true,
    isRunWaiting: true,
    epoch: 4,
  },
)

describe.each(STORES)('the $name store', ({ open }) => {
  test.each([
    ['a bare process', stored()],
    ['a process with every member set and hostile texts', full],
  ])('gives back %s as it was stored', async (_, process) => {
    const store = await open()
    await insert(store, process)
    expect(await load(store)).toStrictEqual({ ...process, record: { ...process.record, changeSeq: 1 } })
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
      yield* tx.saveProcess(stored({ attempts: 5, waits: full.record.waits }), { status: 'running' })
      yield* tx.saveDue(ID, NOW)
      yield* tx.saveLease(ID, { fence: 2 }, 1)
      yield* tx.insertEvent(buildEvent(record(), { eventType: 'x', payload: null }, NOW))
      yield* tx.saveJournalEntry(journalEntry(), guardOf(lease))
      yield* tx.saveWorker(workerRow('ana'))
      yield* tx.insertEnv('ref', Buffer.from('env'))
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
        env: yield* tx.loadEnv('ref'),
        changed: (yield* tx.listChanges(BEGINNING, 10)).ids,
      }
    })
    const unchanged = { process: before, lease: { fence: 1, holder: lease }, changed: [ID] }
    expect(after).toEqual({ ...unchanged, events: [], journal: [], workers: [] })
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

  describe('saving a process', () => {
    test.each(['running', ...TERMINAL_STATUSES] as const)(
      'whose status is %s asks the status guard',
      async status => {
        const store = await open()
        await insert(store, stored({ status }))
        const save = (guard: 'running' | 'any') =>
          store.transaction(tx => tx.saveProcess(stored({ status, attempts: 1 }), { status: guard }))
        expect(await save('running')).toBe(status === 'running')
        expect(await save('any')).toBe(true)
      },
    )

    test.each(leaseGuards())('under $title: $isHeld', async ({ isHeld, guard, release }) => {
      const store = await open()
      const lease = await insertLeased(store)
      if (release) await store.transaction(tx => tx.saveLease(ID, { fence: 1 }, 1))
      const [attempts, waits] = [1, full.record.waits]
      const save = (status: 'running' | 'any') =>
        store.transaction(tx =>
          tx.saveProcess(stored({ attempts, waits }), { status, lease: guard(guardOf(lease)) }),
        )
      expect([await save('running'), await save('any')]).toEqual([isHeld, isHeld])
      expect((await load(store))?.record).toMatchObject(
        isHeld ? { attempts, waits } : { attempts: 0, waits: [] },
      )
    })

    test('replaces its waits', async () => {
      const store = await open()
      await insert(store, full)
      await store.transaction(tx =>
        tx.saveProcess({ ...full, record: { ...full.record, waits: [] } }, { status: 'any' }),
      )
      expect((await load(store))?.record.waits).toEqual([])
    })
  })

  describe('saving a journal entry', () => {
    test.each(leaseGuards())('under $title: $isHeld', async ({ isHeld, guard, release }) => {
      const store = await open()
      const lease = await insertLeased(store)
      if (release) await store.transaction(tx => tx.saveLease(ID, { fence: 1 }, 1))
      const save = (entry = journalEntry()) =>
        store.transaction(tx => tx.saveJournalEntry(entry, guard(guardOf(lease))))
      expect(await save()).toBe(isHeld)
      expect(await save(journalEntry({ status: 'failed' }))).toBe(isHeld)
      const entries = await store.read(tx => tx.listJournal(ID, 0))
      expect(entries).toEqual(isHeld ? [journalEntry({ status: 'failed' })] : [])
    })

    test('keeps every member, and null apart from nothing', async () => {
      const store = await open()
      const guard = guardOf(await insertLeased(store))
      const entries = [
        journalEntry({
          value: null,
          failure: { name: HOSTILE, message: HOSTILE },
          claimedBy: owner('ana'),
          startByMs: NOW,
          endedAtMs: NOW,
          resolvedBy: 'reconcile',
        }),
        journalEntry({ address: HOSTILE, position: 2 }),
        journalEntry({ address: 'a first one', position: 3, value: HOSTILE_JSON }),
      ]
      await store.transaction(function* (tx) {
        for (const entry of entries.toReversed()) yield* tx.saveJournalEntry(entry, guard)
        yield* tx.saveJournalEntry(journalEntry({ epoch: 1 }), guard)
      })
      expect(await store.read(tx => tx.listJournal(ID, 0))).toStrictEqual(entries)
      expect(await store.read(tx => tx.loadJournalEntry(ID, 0, HOSTILE))).toStrictEqual(entries[1])
      expect(await store.read(tx => tx.loadJournalEntry(ID, 1, HOSTILE))).toBeUndefined()
    })
  })

  describe('leases', () => {
    test('are replaced only at the expected fence', async () => {
      const store = await open()
      const lease = { fence: 1, holder: leaseOf(owner('ana')), workerIncarnation: 'w', backendToken: HOSTILE }
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
    const waits = full.record.waits
    // In UTF-16 the last two would change places.
    const ids = ['B', 'a', 'ä', '\uffee', '𝄞'].map(idOf)
    for (const id of ids.toReversed()) await insert(store, stored({ id, waits: id === 'a' ? waits : [] }))
    await insert(
      store,
      stored({ id: idOf('done'), status: 'failed', identity: { kind: 'tool' }, silentSinceMs: NOW }),
    )
    const list = async (filter: object, after = '', limit = 10) =>
      (await store.read(tx => tx.listProcesses(filter, { after, limit }))).map(({ id }) => id)

    expect(await list({})).toEqual(ids)
    expect(await list({}, 'a', 2)).toEqual(['ä', '\uffee'])
    expect(await list({ status: 'any' })).toEqual(['B', 'a', 'done', ...ids.slice(2)])
    expect(await list({ status: 'failed', kind: 'tool' })).toEqual(['done'])
    expect(await list({ status: 'failed', kind: 'survey' })).toEqual([])
    expect(await list({ waiting: true })).toEqual(['a'])
    expect(await list({ waiting: false, status: 'any' }, 'B')).toEqual(['done', ...ids.slice(2)])
    expect(await list({ silent: true, status: 'any' })).toEqual(['done'])
    expect(await list({ silent: false }, 'ä')).toEqual(ids.slice(3))
    expect(
      (await store.read(tx => tx.listProcesses({ waiting: true }, { after: '', limit: 1 })))[0]?.waits,
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
    expect(await store.read(tx => tx.listDue(8, 10))).toEqual(['late', 'a', 'b'])
    expect(await store.read(tx => tx.listDue(8, 2))).toEqual(['late', 'a'])
    await store.transaction(tx => tx.saveDue(idOf('never'), 2))
    expect(await store.read(tx => tx.nextDue())).toBe(2)
  })

  test('lists changes in order of commit, each once at its newest position', async () => {
    const store = await open()
    const changes = (cursor: ChangeCursor, limit = 10) => store.read(tx => tx.listChanges(cursor, limit))
    expect(await changes(BEGINNING)).toEqual({ ids: [], next: BEGINNING })
    const start = await store.read(tx => tx.latestChange())
    for (const id of ['a', 'b', 'c']) await insert(store, stored({ id: idOf(id) }))
    const two = await changes(BEGINNING, 2)
    expect(two.ids).toEqual(['a', 'b'])
    expect((await changes(start)).ids).toEqual(['a', 'b', 'c'])

    await store.transaction(tx => tx.saveProcess(stored({ id: idOf('a') }), { status: 'running' }))
    await store.transaction(tx => tx.saveDue(idOf('b'), 1))
    const rest = await changes(two.next)
    expect(rest.ids).toEqual(['c', 'a'])
    expect(rest.next).toBe(await store.read(tx => tx.latestChange()))
    expect(await changes(rest.next)).toEqual({ ids: [], next: rest.next })
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

  test('tells its listeners of a commit, and no more once they have stopped', async () => {
    const store = await open()
    const listener = vi.fn<() => void>()
    const stop = store.watch(listener, { everyMs: 1_000_000 })
    await insert(store)
    await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(1))
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

function leaseGuards() {
  type Guard = ReturnType<typeof guardOf>
  const same = (guard: Guard): Guard => guard
  const expiry = NOW + TTL / 2
  return [
    { title: 'the current lease', isHeld: true, release: false, guard: same },
    {
      title: 'one in its last millisecond',
      isHeld: true,
      release: false,
      guard: (g: Guard) => ({ ...g, now: expiry - 1 }),
    },
    {
      title: 'one that has expired',
      isHeld: false,
      release: false,
      guard: (g: Guard) => ({ ...g, now: expiry }),
    },
    { title: 'another fence', isHeld: false, release: false, guard: (g: Guard) => ({ ...g, fence: 2 }) },
    {
      title: 'another token',
      isHeld: false,
      release: false,
      guard: (g: Guard) => ({ ...g, token: 'x' as LeaseToken }),
    },
    { title: 'a released lease', isHeld: false, release: true, guard: same },
  ]
}
