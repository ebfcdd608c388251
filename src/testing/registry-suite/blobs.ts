import { expect } from 'vitest'
import { hashBlob, MAX_INLINE_BYTES } from '../../model/blob.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Json } from '../../model/json.ts'
import type { ProcessRecord } from '../../model/process.ts'
import { engine, entry, LARGE, LARGE_FIELDS } from './blob-fields.ts'
import { registration, TTL } from './fixtures.ts'
import { type Case, refused, unchanged, type World } from './harness.ts'

/** As it is stored: JSON text. */
const HASH = hashBlob(JSON.stringify(LARGE))

const OTHER = 'o'.repeat(MAX_INLINE_BYTES * 2)
const THIRD = 't'.repeat(MAX_INLINE_BYTES * 2)

/** Blobs that there are. None is collected by looking: a process refers to each. */
async function countBlobs({ registry }: Pick<World, 'registry'>): Promise<number> {
  const { examined, collected, next } = await registry.collectBlobs()
  expect({ collected, next }).toEqual({ collected: { count: 0, bytes: 0 } })
  return examined
}

export function blobCases(it: Case): void {
  for (const [field, write] of Object.entries(LARGE_FIELDS)) {
    it(`${field} may have a mebibyte, stored once (§6 H23)`, async world => {
      const read = await write(world)
      expect((await read(world.registry)) === LARGE).toBe(true)
      expect(await countBlobs(world)).toBe(1)
      const reopened = await world.reopen?.()
      if (reopened !== undefined) expect((await read(reopened)) === LARGE).toBe(true)
    })
  }

  const SIZES = { 'of the most that a row holds': [0, 0], 'of one byte more': [1, 1] } as const
  for (const [what, [more, blobs]] of Object.entries(SIZES)) {
    it(`a value ${what} makes ${blobs} blobs`, async world => {
      const lease = await world.start(await world.register())
      // With its quotes; and two bytes for each letter.
      const value = `${'é'.repeat(MAX_INLINE_BYTES / 2 - 1)}${'e'.repeat(more)}`
      await world.registry.saveJournalEntry(lease, entry(lease, { value }))
      expect(await world.registry.journal('p')).toEqual([entry(lease, { value })])
      expect(await countBlobs(world)).toBe(blobs)
    })
  }

  it('the same content is stored once, whoever gives it and wherever it stands', async world => {
    const { registry } = world
    for (const id of ['a', 'b']) {
      const payload = { text: LARGE, id }
      await world.register({
        id,
        ...engine(payload),
        eventTypes: [{ name: 'signal.go', payloadSchema: true }],
      })
      await registry.signal(id, 'go', LARGE)
      const lease = await world.start(id)
      const { value: _, status: __, ...bare } = entry(lease, { kind: 'signal' })
      await registry.consumeSignal(lease, bare, { name: 'go' })
      await registry.completeWithLease(lease, { status: 'completed', value: [LARGE, id] })
      expect(await world.record(id)).toMatchObject({ input: { payload }, outcome: { value: [LARGE, id] } })
      expect(await registry.journal(id)).toMatchObject([{ value: { payload: LARGE } }])
    }
    expect(await countBlobs(world)).toBe(1)
  })

  it('large values come back as they were given, in every shape', async world => {
    const value = JSON.parse(
      `{"z":${JSON.stringify(LARGE)},"__proto__":{"a":[${JSON.stringify(OTHER)},-1.5e-7,null,{}]},"10":1,"a":"\\u0000\\u001a"}`,
    ) as Json
    const numbers = Array.from({ length: 40_000 }, (_, index) => index / 7)
    const deep = Array.from({ length: 40 }).reduce<Json>(inner => ({ inner, and: 'x' }), LARGE)
    const lease = await world.start(await world.register())
    const entries = [value, numbers, deep, [[value], [[numbers]], deep]].map((one, index) =>
      entry(lease, { value: one, position: index + 1, address: `read#${index}` }),
    )
    for (const one of entries) await world.registry.saveJournalEntry(lease, one)
    const texts = (given: readonly JournalEntry[]) => given.map(one => JSON.stringify(one.value))
    // As text: with the members in the order in which they were given.
    const isSame = texts(await world.registry.journal('p')).join() === texts(entries).join()
    expect(isSame).toBe(true)
  })

  it('what looks like a reference is what the user wrote', async world => {
    await world.register(engine(LARGE))
    const looks = [`\u001a${HASH}`, `"\u001a${HASH}"`, `\\u001a${HASH}`, HASH, { [`\u001a${HASH}`]: HASH }]
    const value: Json = [...looks, LARGE, ...looks, JSON.stringify(LARGE)]
    for (const payload of [...looks, value]) await world.registry.append('p', { eventType: 'note', payload })
    const events = await world.registry.eventsAfter('p', 0)
    expect(events.map(({ payload }) => payload)).toEqual([...looks, value])
  })

  it('pages hold large rows like any other', async world => {
    const { registry } = world
    const ids = Array.from({ length: 40 }, (_, index) => `p${String(index).padStart(2, '0')}`)
    const shared = 's'.repeat(MAX_INLINE_BYTES)
    const payloadOf = (id: string) => ({ id, text: id.repeat(MAX_INLINE_BYTES / 2), shared })
    for (const id of ids) {
      await world.register({ id, ...engine(payloadOf(id)) })
      await registry.grant({ sessionId: 's' }, id)
      await registry.append('p00', { eventType: 'note', payload: payloadOf(id) })
    }
    const payloads = (records: readonly ProcessRecord[]) =>
      records.map(({ input }) => input.type === 'engine' && input.payload)
    const first = await registry.list({}, { limit: 25 })
    const second = await registry.list({}, { after: first.next ?? '', through: first.through ?? '' })
    expect(payloads([...first.records, ...second.records])).toEqual(ids.map(payloadOf))
    expect(payloads((await registry.listGrants({ sessionId: 's' })).map(one => one.record))).toEqual(
      ids.map(payloadOf),
    )
    expect((await registry.recentEvents('p00', 10)).map(one => one.payload)).toEqual(
      ids.slice(-10).map(payloadOf),
    )
    expect(await countBlobs(world)).toBe(ids.length + 1)
  })

  it('a round goes through the store page by page', async world => {
    const { registry } = world
    for (const id of ['a', 'b', 'c', 'd', 'e']) await world.register({ id, ...engine(LARGE + id) })
    const sizes: number[] = []
    let after = ''
    for (;;) {
      const { examined, next } = await registry.collectBlobs({ after, limit: 2 })
      sizes.push(examined)
      if (next === undefined) break
      after = next
    }
    expect(sizes).toEqual([2, 2, 1])
    expect(await registry.collectBlobs({ limit: 5 })).toMatchObject({ examined: 5, next: expect.any(String) })
    await refused(registry.collectBlobs({ limit: 0 }), 'usage')
  })

  it('what nothing refers to any more is collected, and nothing else', async world => {
    const { registry } = world
    const lease = await world.start(await world.register({ id: 'p', ...engine({ text: OTHER }) }))
    const once = entry(lease, { value: OTHER, effect: 'once', position: 2, address: 'pay#1' })
    for (const one of [entry(lease, { value: LARGE }), once]) await registry.saveJournalEntry(lease, one)
    expect(await countBlobs(world)).toBe(2)
    // The repeatable steps of an epoch go when the next one starts.
    await registry.startEpoch(lease, { epoch: 1, state: null })
    const bytes = Buffer.byteLength(JSON.stringify(LARGE))
    expect(await registry.collectBlobs()).toEqual({ examined: 2, collected: { count: 1, bytes } })
    expect(await countBlobs(world)).toBe(1)
    const again = entry(lease, { value: [LARGE], epoch: 1, position: 9 })
    await registry.saveJournalEntry(lease, again)
    expect((await registry.journal('p')).at(-1)).toEqual(again)
    expect(await countBlobs(world)).toBe(2)
  })

  it('what a pruned process had is collected with it, but for what another has as well', async world => {
    const { registry } = world
    await world.register({ id: 'other', ...engine(OTHER) })
    const lease = await world.start(await world.register({ id: 'p', ...engine({ a: LARGE, b: OTHER }) }))
    await registry.saveJournalEntry(lease, entry(lease, { value: THIRD }))
    await registry.completeWithLease(lease, { status: 'completed', value: LARGE })
    expect(await countBlobs(world)).toBe(3)
    expect(await registry.prune({ before: Number.MAX_SAFE_INTEGER })).toMatchObject({ prunedProcesses: 1 })
    expect(await registry.collectBlobs()).toMatchObject({ examined: 3, collected: { count: 2 } })
    expect(await countBlobs(world)).toBe(1)
    expect(await world.record('other')).toMatchObject(engine(OTHER))
  })

  it('what one forgets, and another has as well, stays', async world => {
    const { registry } = world
    await world.register({ id: 'other', ...engine(LARGE) })
    const lease = await world.start(await world.register())
    await registry.saveJournalEntry(lease, entry(lease, { value: LARGE }))
    await registry.startEpoch(lease, { epoch: 1, state: null })
    expect(await countBlobs(world)).toBe(1)
    expect(await world.record('other')).toMatchObject(engine(LARGE))
  })

  it('what was said in a session is collected when that is deleted', async world => {
    const { registry } = world
    await world.register({ id: 'other', ...engine(OTHER) })
    await registry.createSession({ sessionId: 's', turnId: 't' })
    const entries = [LARGE, OTHER].map(message => ({ kind: 'message', message }) as const)
    await registry.appendToSession('s', { turnId: 't', after: 0, entries })
    await registry.leaveSession('s', 't')
    expect(await countBlobs(world)).toBe(2)
    await registry.deleteSession('s')
    expect(await registry.collectBlobs()).toMatchObject({ examined: 2, collected: { count: 1 } })
    expect(await world.record('other')).toMatchObject(engine(OTHER))
  })

  it('a value that takes the place of another one lets that go', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    await registry.saveJournalEntry(lease, entry(lease, { status: 'claimed', value: LARGE }))
    await registry.saveJournalEntry(lease, entry(lease, { value: OTHER }))
    expect(await registry.collectBlobs()).toMatchObject({ examined: 2, collected: { count: 1 } })
    expect(await registry.journal('p')).toEqual([entry(lease, { value: OTHER })])
  })

  it('large payloads are compared like small ones', async world => {
    const { registry } = world
    const same = { large: LARGE, small: 1 }
    const request = registration({ ...engine(same), eventTypes: [{ name: 'note', payloadSchema: true }] })
    await registry.register(request)
    const note = { eventType: 'note', payload: same, replayKey: 'k' }
    await registry.append('p', note)
    await unchanged(world, 'p', async () => {
      const reordered = { small: 1, large: LARGE }
      expect((await registry.register({ ...request, ...engine(reordered) })).type).toBe('existing')
      expect((await registry.append('p', { ...note, payload: reordered })).type).toBe('replayed')
      const other = { ...same, large: OTHER }
      const conflict = registry.register({ ...request, ...engine(other) }, { sameId: 'request' })
      await refused(conflict, 'process_registration_conflict')
      await refused(registry.append('p', { ...note, payload: other }), 'process_event_replay_conflict')
    })
    expect(await countBlobs(world)).toBe(1)
  })

  it('a write that is refused stores nothing', async world => {
    const { registry, clock } = world
    await world.register({ eventTypes: [{ name: 'note', payloadSchema: { type: 'number' } }] })
    const stale = await world.start('p')
    clock.advance(TTL)
    await world.start('p')
    await refused(registry.saveJournalEntry(stale, entry(stale, { value: LARGE })), 'process_lease_lost')
    await refused(
      registry.completeWithLease(stale, { status: 'completed', value: LARGE }),
      'process_lease_lost',
    )
    await refused(registry.append('p', { eventType: 'note', payload: LARGE }), 'process_event_schema')
    expect(await countBlobs(world)).toBe(0)
  })

  const DAMAGES = [
    ['remove', 'removed', 'blob_missing'],
    ['alter', 'altered', 'blob_corrupt'],
  ] as const
  for (const [damage, damaged, code] of DAMAGES) {
    it(`a blob that somebody has ${damaged} is ${code}, and told with its ids`, async world => {
      const { registry } = world
      await world.register({ id: 'whole' })
      await world.register()
      const lease = await world.start('p')
      await registry.saveJournalEntry(lease, entry(lease, { value: [LARGE] }))
      await registry.append('p', { eventType: 'note', payload: OTHER })
      if (world.damageBlob === undefined) {
        // What stands in a row of this store is the value itself: nothing lies between the two that could be damaged.
        expect(registry.durabilityTier).toBe('inline')
        return
      }
      await world.damageBlob(HASH, damage)
      const reading = registry.journal('p')
      await refused(reading, code)
      await expect(reading).rejects.toMatchObject({ processId: 'p', details: { hash: HASH } })
      // All else is there.
      expect((await registry.recentEvents('p', 1))[0]?.payload === OTHER).toBe(true)
      expect((await registry.list()).records.map(({ id }) => id)).toEqual(['p', 'whole'])
    })
  }

  it('a row with a blob that is gone holds up no other that is due', async world => {
    const { clock } = world
    for (const id of ['a', 'z']) await world.register({ id, ...engine(LARGE) })
    await world.register({ id: 'p', ...engine(OTHER) })
    clock.advance(5_000)
    expect(await world.due()).toEqual(['a', 'p', 'z'])
    if (world.damageBlob === undefined) return
    await world.damageBlob(hashBlob(JSON.stringify(OTHER)), 'remove')
    await refused(world.due(), 'blob_missing')
    expect(await world.due()).toEqual(['a', 'z'])
    clock.advance(600_000)
    await refused(world.due(), 'blob_missing')
  })
}
