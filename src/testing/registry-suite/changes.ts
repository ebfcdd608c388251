import { expect } from 'vitest'
import type { ChangeCursor } from '../../model/ids.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import { COMPLETED, changedIds } from './fixtures.ts'
import type { Case } from './harness.ts'

const BEGINNING = '' as ChangeCursor

/** Every id in the order of the feed, read page by page. */
async function readAll(registry: ProcessRegistry, from: ChangeCursor, limit: number): Promise<string[]> {
  const ids: string[] = []
  let cursor = from
  for (;;) {
    const page = await registry.changesSince(cursor, limit)
    if (page.changes.length === 0) return ids
    ids.push(...changedIds(page))
    cursor = page.next
  }
}

export function changeCases(it: Case): void {
  it('an empty registry has none, and keeps the reader’s place (§6 #122)', async ({ registry }) => {
    expect(await registry.changesSince(BEGINNING, 10)).toEqual({ changes: [], next: BEGINNING })
  })

  it('a page of none keeps the reader’s place (§6 #122)', async ({ registry, register }) => {
    await register()
    expect(await registry.changesSince(BEGINNING, 0)).toEqual({ changes: [], next: BEGINNING })
  })

  it('pages hold each row once, and reading one again repeats it (§6 #123)', async ({
    registry,
    register,
  }) => {
    for (const id of ['a', 'b']) await register({ id })
    const first = await registry.changesSince(BEGINNING, 1)
    expect(changedIds(first)).toEqual(['a'])
    const second = await registry.changesSince(first.next, 1)
    expect(changedIds(second)).toEqual(['b'])
    expect(await registry.changesSince(second.next, 1)).toEqual({ changes: [], next: second.next })
    expect(await registry.changesSince(first.next, 1)).toEqual(second)
    expect(await registry.changesSince(BEGINNING, 1)).toEqual(first)
  })

  it('a row that changes again moves to the end (§6 #124)', async ({ registry, register, run }) => {
    for (const id of ['a', 'b', 'c']) await register({ id })
    const cursor = await registry.latestChange()
    await registry.append('a', { eventType: 'note', payload: null })
    await registry.completeWithLease(await run('b'), COMPLETED)
    await registry.append('b', { eventType: 'note', payload: null })
    expect(await readAll(registry, cursor, 10)).toEqual(['a', 'b'])
    expect(await readAll(registry, BEGINNING, 1)).toEqual(['c', 'a', 'b'])
  })

  it('a change says whether the process has ended, whether a cancel is recorded, and when it is due', async ({
    registry,
    register,
    run,
  }) => {
    for (const id of ['running', 'cancelled', 'ended']) await register({ id })
    await registry.requestCancel('cancelled', 'enough')
    await registry.completeWithLease(await run('ended'), COMPLETED)
    const dueAtMs = expect.any(Number)
    expect((await registry.changesSince(BEGINNING, 10)).changes).toEqual([
      { id: 'running', status: 'running', isCancelRequested: false, isPruned: false, dueAtMs },
      { id: 'cancelled', status: 'running', isCancelRequested: true, isPruned: false, dueAtMs },
      { id: 'ended', status: 'completed', isCancelRequested: false, isPruned: false, dueAtMs: null },
    ])
  })

  it('the latest change is where nothing is left to read', async ({ registry, register }) => {
    await register({ id: 'a' })
    const latest = await registry.latestChange()
    expect(await registry.changesSince(latest, 10)).toEqual({ changes: [], next: latest })
    await register({ id: 'b' })
    expect(changedIds(await registry.changesSince(latest, 10))).toEqual(['b'])
  })

  it('what was rolled back never shows', async ({ registry, register }) => {
    const id = await register()
    const latest = await registry.latestChange()
    await registry.append(id, { eventType: 'nothing', payload: null }).catch(() => {})
    expect(await registry.changesSince(latest, 10)).toEqual({ changes: [], next: latest })
  })

  it('a reader among many writers sees every row that ended (§2.9)', async ({ registry, register, run }) => {
    const ids = Array.from({ length: 30 }, (_, index) => `p${String(index).padStart(2, '0')}`)
    await Promise.all(ids.map(id => register({ id })))
    let isWriting = true
    const writing = Promise.all(
      ids.map(async id => registry.completeWithLease(await run(id), COMPLETED)),
    ).finally(() => {
      isWriting = false
    })
    const ended: string[] = []
    let cursor = BEGINNING
    for (;;) {
      const wasWriting = isWriting
      const page = await registry.changesSince(cursor, 7)
      for (const id of changedIds(page)) {
        const record = await registry.get(id)
        if (record?.status === 'completed') ended.push(id)
      }
      cursor = page.next
      if (page.changes.length > 0) continue
      if (!wasWriting) break
      await new Promise(setImmediate)
    }
    await writing
    expect([...new Set(ended)].sort()).toEqual(ids)
  })

  it('a watcher is told that something was written', async ({ registry, register }) => {
    const told = Promise.withResolvers<void>()
    const stop = registry.watch(() => told.resolve(), { everyMs: 1 })
    await register()
    await told.promise
    stop()
    stop()
  })
}
