import { describe, expect, test } from 'vitest'
import type { LeaseToken } from '../../src/model/ids.ts'
import { type JournalEntry, mayReplace } from '../../src/model/journal.ts'
import { TERMINAL_STATUSES } from '../../src/model/outcome.ts'
import { approval, ID, journalEntry, NOW, owner, stored, TTL } from '../model/fixtures.ts'
import {
  createdSession,
  FULL,
  guardOf,
  HOSTILE,
  HOSTILE_JSON,
  idOf,
  insert,
  insertLeased,
  load,
  STORES,
  streamRow,
} from './store-fixtures.ts'

describe.each(STORES)('the $name store', ({ open }) => {
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
      const [attempts, waits] = [1, FULL.record.waits]
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
      await insert(store, FULL)
      await store.transaction(tx =>
        tx.saveProcess({ ...FULL, record: { ...FULL.record, waits: [] } }, { status: 'any' }),
      )
      expect((await load(store))?.record.waits).toEqual([])
    })
  })

  describe('a pending call', () => {
    const call = { key: 'k', processId: ID, openedAtMs: NOW }

    test.each(leaseGuards())('is opened under $title: $isHeld', async ({ isHeld, guard, release }) => {
      const store = await open()
      const lease = await insertLeased(store)
      if (release) await store.transaction(tx => tx.saveLease(ID, { fence: 1 }, 1))
      expect(await store.transaction(tx => tx.insertPendingCall(call, guard(guardOf(lease))))).toBe(isHeld)
      expect(await store.read(tx => tx.loadPendingCall('k'))).toEqual(isHeld ? call : undefined)
    })

    test('is opened once, and answered once', async () => {
      const store = await open()
      const guard = guardOf(await insertLeased(store))
      const insertCall = () => store.transaction(tx => tx.insertPendingCall(call, guard))
      expect([await insertCall(), await insertCall()]).toEqual([true, false])
      const answer = (value: string) => ({
        ...call,
        answer: { status: 'success' as const, value },
        answeredAtMs: NOW,
      })
      const save = (value: string) => store.transaction(tx => tx.saveAnswer(answer(value)))
      expect([await save('a'), await save('b')]).toEqual([true, false])
      expect(await store.read(tx => tx.loadPendingCall('k'))).toEqual(answer('a'))
    })
  })

  test('an approval is saved over what was read, and no other', async () => {
    const store = await open()
    const guard = guardOf(await insertLeased(store))
    const call = { key: 'k', processId: ID, openedAtMs: NOW, approval }
    await store.transaction(tx => tx.insertPendingCall(call, guard))
    const vote = { by: 'ana', verdict: 'approve', atMs: NOW } as const
    const voted = { ...call, approval: { ...approval, votes: [vote] } }
    const save = () => store.transaction(tx => tx.saveApproval(voted, approval))
    expect([await save(), await save()]).toEqual([true, false])
    expect(await store.read(tx => tx.loadPendingCall('k'))).toEqual(voted)
    expect(await store.read(tx => tx.listOpenApprovals({ processId: ID, limit: 1 }))).toEqual([voted])
  })

  describe('a row of a stream', () => {
    test.each(leaseGuards())('is written under $title: $isHeld', async ({ isHeld, guard, release }) => {
      const store = await open()
      const lease = await insertLeased(store)
      if (release) await store.transaction(tx => tx.saveLease(ID, { fence: 1 }, 1))
      const row = streamRow()
      expect(await store.transaction(tx => tx.insertStreamRow(row, guard(guardOf(lease))))).toBe(isHeld)
      expect(await store.read(tx => tx.listStreamRows(ID, 'text', 0, 9))).toStrictEqual(isHeld ? [row] : [])
    })

    test('is written where its channel ends, and nowhere else', async () => {
      const store = await open()
      const guard = guardOf(await insertLeased(store))
      const write = (from: number, to: number, channel = 'text') =>
        store.transaction(tx => tx.insertStreamRow(streamRow({ from, to, channel }), guard))
      expect(await write(2, 4)).toBe(false)
      expect([await write(0, 2), await write(0, 2), await write(1, 4), await write(4, 5)]).toEqual([
        true,
        false,
        false,
        false,
      ])
      expect([await write(2, 4), await write(0, 1, 'other')]).toEqual([true, true])
    })
  })

  test('a session is saved over the version that was read, and no other', async () => {
    const store = await open()
    const session = createdSession('s')
    const insertSession = () => store.transaction(tx => tx.insertSession(session))
    expect([await insertSession(), await insertSession()]).toEqual([true, false])
    const save = (expected: number) =>
      store.transaction(tx => tx.saveSession({ ...session, version: 2, lastPosition: 1 }, expected))
    expect([await save(2), await save(1), await save(1)]).toEqual([false, true, false])
    expect(await store.read(tx => tx.loadSession('s'))).toMatchObject({ version: 2, lastPosition: 1 })
  })

  describe('deleting a process', () => {
    test.each(['running', ...TERMINAL_STATUSES] as const)(
      'whose status is %s asks whether it ended',
      async status => {
        const store = await open()
        await insert(store, { ...FULL, record: { ...FULL.record, status } })
        const deleted = status === 'running' ? undefined : 0
        expect(await store.transaction(tx => tx.deleteProcess(FULL.record.id))).toBe(deleted)
        expect((await load(store)) === undefined).toBe(status !== 'running')
      },
    )

    test('takes its lease along, and no other’s', async () => {
      const store = await open()
      await insertLeased(store)
      const other = { ...FULL, record: { ...FULL.record, id: idOf('other') } }
      await insert(store, other)
      await store.transaction(tx => tx.saveLease(other.record.id, { fence: 3 }, 0))
      await store.transaction(tx => tx.saveProcess(stored({ status: 'failed' }), { status: 'any' }))
      expect(await store.transaction(tx => tx.deleteProcess(ID))).toBe(0)
      expect(await store.read(tx => tx.loadLease(ID))).toBeUndefined()
      expect(await store.read(tx => tx.loadLease(other.record.id))).toEqual({ fence: 3 })
      expect(await store.transaction(tx => tx.deleteProcess(ID))).toBeUndefined()
    })
  })

  test('keeps tombstones as they are, by ids of any text', async () => {
    const store = await open()
    const tombstone = {
      id: idOf(HOSTILE),
      status: 'failed',
      prunedAtMs: NOW,
      fence: 2,
      lastSequence: 3,
    } as const
    await store.transaction(tx => tx.insertTombstone(tombstone))
    expect(await store.read(tx => tx.loadTombstone(tombstone.id))).toStrictEqual(tombstone)
    expect(await store.transaction(tx => tx.deleteTombstones(NOW, 10))).toBe(0)
    expect(await store.transaction(tx => tx.deleteTombstones(NOW + 1, 10))).toBe(1)
    expect(await store.read(tx => tx.loadTombstone(tombstone.id))).toBeUndefined()
  })

  describe('saving a journal entry', () => {
    test.each(leaseGuards())('under $title: $isHeld', async ({ isHeld, guard, release }) => {
      const store = await open()
      const lease = await insertLeased(store)
      if (release) await store.transaction(tx => tx.saveLease(ID, { fence: 1 }, 1))
      const save = (entry = journalEntry()) =>
        store.transaction(tx => tx.saveJournalEntry(entry, guard(guardOf(lease))))
      expect(await save(journalEntry({ status: 'claimed' }))).toBe(isHeld)
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
          isTold: true,
          resolution: { kind: 'by_hand', by: HOSTILE, answer: 'done', atMs: NOW },
        }),
        journalEntry({ address: HOSTILE, position: 2 }),
        journalEntry({ address: 'a first one', position: 3, value: HOSTILE_JSON }),
      ]
      await store.transaction(function* (tx) {
        for (const entry of entries.toReversed()) yield* tx.saveJournalEntry(entry, guard)
      })
      expect(await store.read(tx => tx.listJournal(ID, 0))).toStrictEqual(entries)
      expect(await store.read(tx => tx.loadJournalEntry(ID, 0, HOSTILE))).toStrictEqual(entries[1])
      expect(await store.read(tx => tx.loadJournalEntry(ID, 1, HOSTILE))).toBeUndefined()
    })
    const inPlaces: JournalEntry[] = [
      journalEntry({ status: 'claimed' }),
      journalEntry({ status: 'unknown' }),
      journalEntry({ status: 'unknown', isTold: true }),
      journalEntry({
        status: 'unknown',
        isTold: true,
        resolution: { kind: 'by_hand', by: 'ana', answer: 'done', atMs: NOW },
      }),
      journalEntry({ status: 'not_done' }),
      journalEntry(),
      journalEntry({ status: 'failed' }),
    ]

    test.each(inPlaces)(
      'in the place of one that is $status, told: $isTold, asks what stands there',
      async known => {
        for (const status of ['claimed', 'done', 'failed', 'unknown', 'not_done'] as const) {
          const store = await open()
          const guard = guardOf(await insertLeased(store))
          const next = journalEntry({ status, attempt: 'attempt-2' })
          const save = (entry: JournalEntry) => store.transaction(tx => tx.saveJournalEntry(entry, guard))
          expect([await save(known), await save(next)]).toEqual([true, mayReplace(known, next)])
          const [stored] = await store.read(tx => tx.listJournal(ID, 0))
          expect(stored).toStrictEqual(mayReplace(known, next) ? next : known)
        }
      },
    )

    test.each(inPlaces)(
      'a word on one that is $status, told: $isTold, is taken where none is known',
      async known => {
        const store = await open()
        const guard = guardOf(await insertLeased(store))
        const resolution = { kind: 'by_hand', by: HOSTILE, answer: 'done', atMs: NOW } as const
        const resolved = { ...known, status: 'done', value: HOSTILE_JSON, resolution } as const
        const resolve = () => store.transaction(tx => tx.saveResolution(resolved))
        expect(await resolve()).toBe(false)
        await store.transaction(tx => tx.saveJournalEntry(known, guard))
        const isOpen =
          known.status === 'claimed' || (known.status === 'unknown' && known.resolution === undefined)
        expect(await resolve()).toBe(isOpen)
        const [stored] = await store.read(tx => tx.listOnceSteps(ID))
        expect(stored).toStrictEqual(isOpen ? resolved : known)
      },
    )

    test('of another epoch than its process is in is refused', async () => {
      const store = await open()
      const guard = guardOf(await insertLeased(store))
      const save = (epoch: number) =>
        store.transaction(tx => tx.saveJournalEntry(journalEntry({ epoch }), guard))
      expect([await save(0), await save(1)]).toEqual([true, false])
      await store.transaction(tx => tx.saveProcess(stored({}, { epoch: 1 }), { status: 'any' }))
      expect([await save(0), await save(1)]).toEqual([false, true])
    })

    test('that may run again goes with its epoch, and a once step stays', async () => {
      const store = await open()
      const guard = guardOf(await insertLeased(store))
      const repeatable = { effect: 'repeatable', address: 'read#1', position: 2 } as const
      const saveBoth = (epoch: number) =>
        store.transaction(function* (tx) {
          yield* tx.saveProcess(stored({}, { epoch }), { status: 'any' })
          yield* tx.saveJournalEntry(journalEntry({ epoch }), guard)
          yield* tx.saveJournalEntry(journalEntry({ epoch, ...repeatable }), guard)
        })
      for (const epoch of [0, 1, 2]) await saveBoth(epoch)
      const ledger = await store.read(tx => tx.listOnceSteps(ID))
      expect(ledger.map(({ epoch, effect }) => [epoch, effect])).toEqual(
        [0, 1, 2].map(epoch => [epoch, 'once']),
      )
      await store.transaction(tx => tx.deleteRepeatable(ID, 1))
      const addresses = async (epoch: number) =>
        (await store.read(tx => tx.listJournal(ID, epoch))).map(({ address }) => address)
      expect([await addresses(0), await addresses(1), await addresses(2)]).toEqual([
        ['charge[card-1]', 'read#1'],
        ['charge[card-1]'],
        ['charge[card-1]', 'read#1'],
      ])
    })
  })
})

function leaseGuards() {
  type Guard = ReturnType<typeof guardOf>
  const same = (guard: Guard): Guard => guard
  const expiry = NOW + TTL / 2
  return [
    { title: 'the current lease', isHeld: true, release: false, guard: same },
    {
      title: 'the current lease, at the store’s time',
      isHeld: true,
      release: false,
      guard: ({ token, fence }: Guard) => ({ token, fence }),
    },
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
