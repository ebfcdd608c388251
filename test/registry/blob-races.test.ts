import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { isLargeRowWhole, replaceLargeRows } from './large-rows.ts'
import { openPostgres } from './postgres-fixtures.ts'
import { spawnChild } from './spawn-child.ts'
import { openSqlite, temporaryPath } from './store-fixtures.ts'

/** Collects without a pause until the writers are done, and then checks what they have left behind. */
async function collectAgainst(
  store: ProcessStore,
  writers: Promise<readonly { readonly id: string; readonly letters: string }[]>,
): Promise<{ readonly collected: number }> {
  const registry = createProcessRegistry(store)
  let collected = 0
  let areWriting = true
  const written = writers.finally(() => {
    areWriting = false
  })
  while (areWriting) {
    collected += (await registry.collectBlobs()).collected.count
    // A look into SQLite waits for nothing, and the writers are heard of by way of the event loop.
    await setImmediate()
  }
  const left = await written
  for (const { id, letters } of left) expect(await isLargeRowWhole(registry, id, letters)).toBe(true)
  const distinct = new Set(left.map(({ letters }) => letters)).size
  const { examined, collected: last } = await registry.collectBlobs()
  expect(examined - last.count).toBe(distinct)
  return { collected: collected + last.count }
}

test('in PostgreSQL, what one connection collects while others write it again is never lost', {
  timeout: 180_000,
}, async () => {
  const store = await openPostgres()
  const rounds = 80
  const writers = Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      const name = `writer ${writer}`
      const letters = await replaceLargeRows(store, name, { rounds, first: writer })
      return { id: `${name} ${rounds - 1}`, letters }
    }),
  )
  const { collected } = await collectAgainst(store, writers)
  // Content after content was collected and came back, or this has shown nothing.
  expect(collected).toBeGreaterThan(10)
})

test('in SQLite, what one OS process collects while others write it again is never lost', {
  timeout: 180_000,
}, async () => {
  const path = await temporaryPath()
  const store = await openSqlite({ path })
  const children = Array.from({ length: 2 }, () => spawnChild('write large payloads and delete them', path))
  const writers = Promise.all(
    children.map(async child => ({ id: `pid ${child.pid} 99`, letters: await child.nextLine() })),
  )
  const { collected } = await collectAgainst(store, writers)
  expect(collected).toBeGreaterThan(10)
})

test('an OS process that is killed while it writes leaves rows that are whole, and no blob of others', async () => {
  const path = await temporaryPath()
  await (await openSqlite({ path })).close()
  const child = spawnChild('write large payloads for ever', path)
  let acknowledged = 0
  while (acknowledged < 20) acknowledged = Number(await child.nextLine())
  await child.kill()
  const store = await openSqlite({ path })
  const registry = createProcessRegistry(store)
  const { records } = await registry.list({ status: 'any' })
  expect(records.length).toBeGreaterThanOrEqual(acknowledged)
  for (let count = 1; count <= acknowledged; count++)
    expect(await isLargeRowWhole(registry, `row ${count}`, `${count} `)).toBe(true)
  expect(await registry.collectBlobs()).toMatchObject({
    examined: records.length,
    collected: { count: 0 },
  })
})
