/** Copies of a registry's file that are made while another OS process writes into it, by the ways that people know. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { spawnChild } from './spawn-child.ts'
import { openSqlite, temporaryFolder, temporaryPath } from './store-fixtures.ts'

const WAYS: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
  async 'VACUUM INTO'(from, to) {
    const database = new DatabaseSync(from)
    database.prepare('vacuum into ?').run(to)
    database.close()
  },

  async 'the backup interface'(from, to) {
    const database = new DatabaseSync(from)
    // All pages in one step: in several, each write of the other would make it begin again.
    await backup(database, to, { rate: 1_000_000 })
    database.close()
  },

  /** Nobody can write meanwhile: copied one after the other, file and log would not belong together. */
  async 'copying the file with its log, under its lock'(from, to) {
    const database = new DatabaseSync(from, { timeout: 10_000 })
    database.exec('begin immediate')
    await copyFile(from, to)
    await copyFile(`${from}-wal`, `${to}-wal`)
    database.exec('rollback')
    database.close()
  },
}

test.each(Object.entries(WAYS))(
  '%s gives a whole registry, with all that was acknowledged before',
  async (_, copy) => {
    const path = await temporaryPath()
    const child = spawnChild('append for ever', path)
    let acknowledged = 0
    while (acknowledged < 50) acknowledged = Number(await child.nextLine())

    const copied = join(await temporaryFolder(), 'copy.db')
    await copy(path, copied)
    await child.nextLine()

    const original = await openSqlite({ path })
    const store = await openSqlite({ path: copied })
    expect(store.registryId).toBe(original.registryId)
    const registry = createProcessRegistry(store)
    const events = await registry.eventsAfter('p', 0, 100_000)
    expect(events.length).toBeGreaterThanOrEqual(acknowledged)
    expect(events.map(({ sequence, payload }) => [sequence, payload])).toEqual(
      events.map((_, index) => [index + 1, index + 1]),
    )
    expect(await registry.get('p')).toMatchObject({ lastSequence: events.length })
    const { event } = await registry.append('p', { eventType: 'note', payload: 'in the copy' })
    expect(event.sequence).toBe(events.length + 1)
    // The original goes on, and knows nothing of it.
    expect(Number(await child.nextLine())).toBeGreaterThan(acknowledged)
  },
)
