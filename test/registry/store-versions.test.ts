/** What two may have read and only one may replace: the saving step itself compares. */
import { describe, expect, test } from 'vitest'
import type { LeaseToken } from '../../src/model/ids.ts'
import type { StoredWake } from '../../src/model/outbox.ts'
import type { PendingCall } from '../../src/model/pending-call.ts'
import type { Session } from '../../src/model/session.ts'
import { ID, NOW, stored, TTL, wakeDelivery } from '../model/fixtures.ts'
import { guardOf, insert, insertLeased, STORES } from './store-fixtures.ts'

const wake = (patch: Partial<StoredWake> = {}): StoredWake => ({
  delivery: wakeDelivery(),
  status: 'pending',
  version: 1,
  attempts: 0,
  dueAtMs: NOW,
  expiresAtMs: NOW + 1_000,
  ...patch,
})
const { wakeId } = wakeDelivery()

const session = (patch: Partial<Session> = {}): Session => ({
  sessionId: 's',
  policy: {},
  pluginOptions: {},
  openFor: 'turn-1',
  lastPosition: 0,
  version: 1,
  createdAtMs: NOW,
  updatedAtMs: NOW,
  ...patch,
})

const call: PendingCall = { key: 'call', processId: ID, openedAtMs: NOW }
const answered = (value: string): PendingCall => ({
  ...call,
  answer: { status: 'success', value },
  answeredAtMs: NOW,
})

describe.each(STORES)('in the $name store', ({ open }) => {
  test('a wake is inserted once, and replaced only at the version that was read', async () => {
    const store = await open()
    await insert(store, stored())
    const add = (patch?: Partial<StoredWake>) => store.transaction(tx => tx.insertWake(wake(patch)))
    expect([await add(), await add({ attempts: 7 })]).toEqual([true, false])
    const save = (version: number, expected: number) =>
      store.transaction(tx => tx.saveWake(wake({ version, attempts: version }), expected))
    expect([await save(2, 1), await save(3, 1), await save(4, 3)]).toEqual([true, false, false])
    expect(await store.read(tx => tx.loadWake(wakeId))).toMatchObject({ version: 2, attempts: 2 })
  })

  test('a wake that was never inserted is not saved', async () => {
    const store = await open()
    await insert(store, stored())
    expect(await store.transaction(tx => tx.saveWake(wake(), 0))).toBe(false)
    expect(await store.read(tx => tx.loadWake(wakeId))).toBeUndefined()
  })

  test('a session is inserted once, and replaced only at the version that was read', async () => {
    const store = await open()
    const add = (patch?: Partial<Session>) => store.transaction(tx => tx.insertSession(session(patch)))
    expect([await add(), await add({ openFor: 'turn-2' })]).toEqual([true, false])
    const save = (version: number, expected: number) =>
      store.transaction(tx => tx.saveSession(session({ version, lastPosition: version }), expected))
    expect([await save(2, 1), await save(3, 1), await save(4, 3)]).toEqual([true, false, false])
    expect(await store.read(tx => tx.loadSession('s'))).toMatchObject({ version: 2, lastPosition: 2 })
  })

  test('a call is answered once', async () => {
    const store = await open()
    const guard = guardOf(await insertLeased(store))
    await store.transaction(tx => tx.insertPendingCall(call, guard))
    const answer = (value: string) => store.transaction(tx => tx.saveAnswer(answered(value)))
    expect([await answer('first'), await answer('second')]).toEqual([true, false])
    expect(await store.read(tx => tx.loadPendingCall('call'))).toEqual(answered('first'))
  })

  test.each([
    ['the current lease', {}, true],
    ['one that has expired', { now: NOW + TTL }, false],
    ['another fence', { fence: 2 }, false],
    ['another token', { token: 'x' as LeaseToken }, false],
  ])('a call is opened under %s: %o', async (_, patch, isHeld) => {
    const store = await open()
    const guard = { ...guardOf(await insertLeased(store)), ...patch }
    const add = () => store.transaction(tx => tx.insertPendingCall(call, guard))
    expect(await add()).toBe(isHeld)
    // Its key is taken, or the lease still not held.
    expect(await add()).toBe(false)
    expect(await store.read(tx => tx.loadPendingCall('call'))).toEqual(isHeld ? call : undefined)
  })
})
