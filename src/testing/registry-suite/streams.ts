import { expect } from 'vitest'
import type { Json } from '../../model/json.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { lengthOf, type StreamContent, type StreamRow } from '../../model/stream.ts'
import { watchRegistry } from '../../registry/watch.ts'
import { BEN, COMPLETED, TTL } from './fixtures.ts'
import { type Case, refused, unchanged, type World } from './harness.ts'
import { ended } from './prune.ts'

const row = (lease: ProcessLease, from: number, content: StreamContent, channel = 'text'): StreamRow => ({
  processId: lease.processId,
  channel,
  from,
  to: from + lengthOf(content),
  epoch: 0,
  attempt: 1,
  fence: lease.fencingToken,
  content,
  writtenAtMs: 5,
})

const says = (lease: ProcessLease, from: number, ...deltas: readonly Json[]): StreamRow =>
  row(lease, from, { deltas })

/** By default no step is settled. */
const leftIn = (
  { registry }: Pick<World, 'registry'>,
  { epoch = 0, isSettled = () => false }: { epoch?: number; isSettled?: (step: string) => boolean } = {},
) => registry.streamLeftovers('p', { epoch, isSettled })

export function streamCases(it: Case): void {
  it('a channel that nothing was said in is empty, and has no head', async ({ registry, register }) => {
    const id = await register()
    expect(await registry.readStream(id, 'text', 0)).toEqual({ entries: [], hasMore: false, isEnd: false })
    expect(await registry.streamHeads(id)).toEqual([])
    expect(await leftIn({ registry })).toEqual([])
  })

  it('entries are read from any offset, also from the middle of what was written together', async ({
    registry,
    register,
    start,
  }) => {
    const lease = await start(await register())
    const reset = { retracted: [{ from: 1, to: 3 }] }
    await registry.appendToStreams(lease, [says(lease, 0, 'a', { b: [1] }), says(lease, 2, null)])
    await registry.appendToStreams(lease, [row(lease, 3, reset), says(lease, 4, 'd')])
    const entries = [
      { type: 'delta', offset: 0, attempt: 1, data: 'a' },
      { type: 'delta', offset: 1, attempt: 1, data: { b: [1] } },
      { type: 'delta', offset: 2, attempt: 1, data: null },
      { type: 'attempt_reset', offset: 3, attempt: 1, ...reset },
      { type: 'delta', offset: 4, attempt: 1, data: 'd' },
    ]
    for (let from = 0; from <= 6; from++) {
      const page = await registry.readStream(lease.processId, 'text', from)
      expect(page).toEqual({ entries: entries.slice(from), hasMore: false, isEnd: false })
    }
  })

  it('channels count by themselves, and are listed in byte order', async ({ registry, register, start }) => {
    const lease = await start(await register())
    const inChannel = (channel: string, from: number) => row(lease, from, { deltas: ['x', 'y'] }, channel)
    await registry.appendToStreams(lease, [inChannel('b', 0), inChannel('B', 0), inChannel('b', 2)])
    expect(await registry.streamHeads(lease.processId)).toEqual([
      { channel: 'B', next: 2 },
      { channel: 'b', next: 4 },
    ])
    expect((await registry.readStream(lease.processId, 'B', 0)).entries).toHaveLength(2)
  })

  it('what steps of the last attempt have left is taken back, unless the journal knows them', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    const step = 'model[\u0001 𝄞]'
    await registry.appendToStreams(lease, [
      row(lease, 0, { deltas: ['a', 'b'], step: 'done' }),
      row(lease, 2, { deltas: ['c', 'd'], step }),
      row(lease, 4, { deltas: ['e'], step: 'done' }),
      row(lease, 5, { deltas: ['f'], step }),
      row(lease, 0, { deltas: ['g'], step }, 'other'),
      row(lease, 6, { retracted: [{ from: 3, to: 4 }] }),
    ])
    expect(await leftIn(world, { isSettled: name => name === 'done' })).toEqual([
      { channel: 'other', next: 1, retracted: [{ from: 0, to: 1 }], repeatable: [] },
      {
        channel: 'text',
        next: 7,
        retracted: [
          { from: 2, to: 3 },
          { from: 5, to: 6 },
        ],
        repeatable: [],
      },
    ])
    expect(await leftIn(world, { isSettled: () => true })).toMatchObject([
      { retracted: [] },
      { retracted: [] },
    ])
  })

  it('what an attempt before the last has left in steps is not looked at: the last one took it back', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    const inAttempt = (attempt: number, from: number, content: StreamContent, channel = 'text') => ({
      ...row(lease, from, content, channel),
      attempt,
    })
    await registry.appendToStreams(lease, [
      inAttempt(1, 0, { deltas: ['a'], step: 's' }),
      inAttempt(1, 0, { deltas: ['b'], step: 's' }, 'other'),
      inAttempt(2, 1, { retracted: [{ from: 0, to: 1 }] }),
      inAttempt(2, 1, { retracted: [{ from: 0, to: 1 }] }, 'other'),
    ])
    expect(await leftIn(world)).toMatchObject([{ retracted: [] }, { retracted: [] }])
    await registry.appendToStreams(lease, [inAttempt(2, 2, { deltas: ['c'], step: 's' })])
    expect(await leftIn(world)).toMatchObject([
      { channel: 'other', retracted: [] },
      { channel: 'text', retracted: [{ from: 2, to: 3 }] },
    ])
  })

  it('what was said outside steps is left to be said again, of this epoch and whatever attempt', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    await registry.appendToStreams(lease, [
      says(lease, 0, 'of the epoch before'),
      { ...row(lease, 1, { deltas: ['by its step'], step: 's' }), attempt: 9 },
      { ...says(lease, 2, 'a', { b: 'nul \u0000' }, 'c'), epoch: 1 },
      { ...row(lease, 5, { retracted: [{ from: 4, to: 5 }] }), epoch: 1, attempt: 2 },
      { ...says(lease, 6, 'd'), epoch: 1, attempt: 2 },
    ])
    expect(await leftIn(world, { epoch: 1 })).toEqual([
      {
        channel: 'text',
        next: 7,
        retracted: [],
        repeatable: [
          { type: 'delta', offset: 2, attempt: 1, data: 'a' },
          { type: 'delta', offset: 3, attempt: 1, data: { b: 'nul \u0000' } },
          { type: 'delta', offset: 6, attempt: 2, data: 'd' },
        ],
      },
    ])
    expect(await leftIn(world, { epoch: 2 })).toMatchObject([{ next: 7, retracted: [], repeatable: [] }])
  })

  it('what was written is no change of the row', async world => {
    const id = await world.register()
    const lease = await world.start(id)
    await unchanged(world, id, () => world.registry.appendToStreams(lease, [says(lease, 0, 'a')]))
  })

  it('the same again changes nothing; anything else at that place is refused, and nothing of it is written', async ({
    registry,
    register,
    start,
  }) => {
    const lease = await start(await register())
    await registry.appendToStreams(lease, [says(lease, 0, 'a'), says(lease, 1, 'b')])
    await registry.appendToStreams(lease, [says(lease, 0, 'a'), says(lease, 1, 'b')])
    await refused(registry.appendToStreams(lease, [says(lease, 1, 'c')]), 'internal')
    // A gap, behind a row that would have fitted.
    await refused(registry.appendToStreams(lease, [says(lease, 2, 'c'), says(lease, 4, 'e')]), 'internal')
    expect(await registry.streamHeads(lease.processId)).toEqual([{ channel: 'text', next: 2 }])
  })

  it('takes nothing under a lease that lapsed, was superseded, released or ended', async world => {
    const { registry, clock } = world
    const id = await world.register()
    const lapsed = await world.start(id)
    await registry.appendToStreams(lapsed, [says(lapsed, 0, 'a')])
    clock.advance(TTL)
    const append = (lease: ProcessLease) => registry.appendToStreams(lease, [says(lease, 1, 'b')])
    await refused(append(lapsed), 'process_lease_lost')
    const next = await world.start(id, { worker: BEN })
    await refused(append(lapsed), 'process_lease_lost')
    await append(next)
    await registry.completeWithLease(next, COMPLETED)
    await refused(registry.appendToStreams(next, [says(next, 2, 'c')]), 'process_lease_lost')
    expect((await registry.readStream(id, 'text', 0)).entries.map(({ offset }) => offset)).toEqual([0, 1])
  })

  it('is closed to the lease of another process', async ({ registry, register, start }) => {
    const [mine, other] = [await start(await register()), await start(await register({ id: 'other' }))]
    await refused(registry.appendToStreams(mine, [says(other, 0, 'a')]), 'process_lease_lost')
    expect(await registry.streamHeads('other')).toEqual([])
  })

  it('the end of the process ends its channels, those too that nothing was said in', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    await registry.appendToStreams(lease, [says(lease, 0, 'a')])
    await registry.completeWithLease(lease, COMPLETED)
    expect(await registry.readStream('p', 'text', 0)).toMatchObject({ entries: [{ data: 'a' }], isEnd: true })
    expect(await registry.readStream('p', 'text', 1)).toEqual({ entries: [], hasMore: false, isEnd: true })
    expect(await registry.readStream('p', 'other', 0)).toEqual({ entries: [], hasMore: false, isEnd: true })
  })

  it('a page of many rows is not the end, and the next one goes on', async ({
    registry,
    register,
    start,
  }) => {
    const lease = await start(await register())
    await registry.appendToStreams(
      lease,
      Array.from({ length: 40 }, (_, index) => says(lease, index, index)),
    )
    await registry.completeWithLease(lease, COMPLETED)
    const first = await registry.readStream('p', 'text', 0)
    expect(first).toMatchObject({ hasMore: true, isEnd: false })
    const rest = await registry.readStream('p', 'text', first.entries.length)
    expect([...first.entries, ...rest.entries].map(({ offset }) => offset)).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    )
    expect(rest).toMatchObject({ hasMore: false, isEnd: true })
  })

  it('a channel without a proper name and an offset that is none are refused', async ({
    registry,
    register,
    start,
  }) => {
    const lease = await start(await register())
    for (const channel of ['', ' ', 'a\nb', 'x'.repeat(201), '\ud800']) {
      const wrong = row(lease, 0, { deltas: ['a'] }, channel)
      await refused(registry.appendToStreams(lease, [wrong]), 'usage')
      await refused(registry.readStream('p', channel, 0), 'usage')
    }
    for (const from of [-1, 0.5, Number.NaN]) await refused(registry.readStream('p', 'text', from), 'usage')
  })

  it('goes with its process', async world => {
    const { registry } = world
    const lease = await world.start(await world.register())
    await registry.appendToStreams(lease, [says(lease, 0, 'a')])
    await registry.completeWithLease(lease, COMPLETED)
    await registry.prune({ before: Number.MAX_SAFE_INTEGER })
    await refused(registry.readStream('p', 'text', 0), 'process_no_longer_retained')
    await ended(world, 'q')
    expect(await registry.streamHeads('q')).toEqual([])
  })

  it('is followed while it is written and after, by any number of readers', async world => {
    const registry = watchRegistry(world.registry)
    const lease = await world.start(await world.register())
    const follow = async (from: number) => {
      const offsets: number[] = []
      for await (const { offset } of registry.followStream('p', 'text', { from })) offsets.push(offset)
      return offsets
    }
    await registry.appendToStreams(lease, [says(lease, 0, 'a', 'b')])
    const readers = [follow(0), follow(1), follow(4)]
    await registry.appendToStreams(lease, [says(lease, 2, 'c')])
    await registry.appendToStreams(lease, [says(lease, 3, 'd', 'e')])
    await registry.completeWithLease(lease, COMPLETED)
    expect(await Promise.all([...readers, follow(0)])).toEqual([
      [0, 1, 2, 3, 4],
      [1, 2, 3, 4],
      [4],
      [0, 1, 2, 3, 4],
    ])
    await registry.close()
  })
}
