import { expect, test } from 'vitest'
import { spawnChild } from './spawn-child.ts'
import { openSqlite, temporaryPath, workerNames, workerRow } from './store-fixtures.ts'

test('a file whose first migration was killed half-way is opened as a new one', async () => {
  const path = await temporaryPath()
  const child = spawnChild('hang in the first migration', path)
  expect(await child.nextLine()).toBe('migrating')
  await child.kill()

  const store = await openSqlite({ path })
  await store.transaction(tx => tx.saveWorker(workerRow('afterwards')))
  expect(await workerNames(store)).toEqual(['afterwards'])
})

test('a writer killed inside a transaction leaves all of what was committed and nothing else', async () => {
  const path = await temporaryPath()
  const child = spawnChild('hang in a transaction', path)
  expect(await child.nextLine()).toBe('writing')
  await child.kill()

  const store = await openSqlite({ path })
  expect(await workerNames(store)).toEqual(['committed'])
  expect(await store.read(tx => tx.loadEnv('uncommitted'))).toBeUndefined()
})

test('every write that was acknowledged before a kill is there afterwards, and at most one more', async () => {
  const path = await temporaryPath()
  const child = spawnChild('write for ever', path)
  let acknowledged = 0
  while (acknowledged < 100) acknowledged = Number(await child.nextLine())
  await child.kill()
  for (;;) {
    const line = await child.nextLine().catch(() => undefined)
    if (line === undefined) break
    acknowledged = Number(line)
  }

  const store = await openSqlite({ path })
  const names = new Set(await workerNames(store))
  const missing = Array.from({ length: acknowledged }, (_, index) => String(index + 1)).filter(
    name => !names.has(name),
  )
  expect(missing).toEqual([])
  expect(names.size - acknowledged).toBeLessThanOrEqual(1)
})
