import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { SCHEMA_VERSION } from '../../src/registry/sql/migrations.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { errorWith } from '../model/fixtures.ts'
import { spawnChild } from './spawn-child.ts'
import { insert, load, openSqlite, temporaryFolder, temporaryPath } from './store-fixtures.ts'

const open = (path: string) => createSqliteStore({ path, lockTimeoutMs: 1_000 })

const literally = (text: string): string => text.replaceAll(/[^\w/]/g, '\\$&')

/** Every message names the path, and each has a hint of what to do. */
const refusal = (code: Parameters<typeof errorWith>[0], path: string, hint: RegExp) =>
  expect.objectContaining({
    ...{ name: 'LeaseholdError', code },
    message: expect.stringMatching(new RegExp(`${literally(path)}.*${hint.source}`, 's')),
  })

/** What a store without the right to write says: the error's code and message. */
async function refusalOfUnprivileged(path: string): Promise<{ code: string; message: string }> {
  return JSON.parse(await spawnChild('try to write as nobody', path).nextLine())
}

/** A mount of 1 MB that only this command sees; without being root, in a user namespace of its own. */
const MOUNTING = 'mount -t tmpfs -o size=1m,mode=0777 none "$1"'
const OWN_MOUNTS = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user']

describe('a SQLite registry', () => {
  test('makes missing folders', async () => {
    const path = join(await temporaryFolder(), 'a', 'b c', 'registry.db')
    await insert(await openSqlite({ path }))
  })

  test('keeps its id and its rows when it is closed and opened again', async () => {
    const path = await temporaryPath()
    const first = await openSqlite({ path })
    await insert(first)
    await first.close()
    const second = await openSqlite({ path })
    expect(second.registryId).toBe(first.registryId)
    expect((await load(second))?.record.status).toBe('running')
  })

  test.each([':memory:', ''])('refuses %j: it needs a file', async path => {
    await expect(open(path)).rejects.toThrow(errorWith('usage'))
  })

  test('refuses a folder', async () => {
    const path = await temporaryFolder()
    await expect(open(path)).rejects.toThrow(refusal('registry_unavailable', path, /is a folder.*inside it/))
  })

  test('refuses a path that leads through a file', async () => {
    const file = await temporaryPath()
    await writeFile(file, '')
    const path = join(file, 'registry.db')
    await expect(open(path)).rejects.toThrow(refusal('registry_unavailable', path, /Check the path/))
  })

  test('refuses a file that is no database, and leaves it alone', async () => {
    const path = await temporaryPath()
    const text = 'Dear diary, '.repeat(1_000)
    await writeFile(path, text)
    await expect(open(path)).rejects.toThrow(refusal('registry_corrupt', path, /choose another path/))
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test('refuses a database of another program, and leaves it alone', async () => {
    const path = await temporaryPath()
    new DatabaseSync(path).exec('create table diary (entry text)')
    const before = await readFile(path)
    await expect(open(path)).rejects.toThrow(refusal('registry_corrupt', path, /another program/))
    expect(await readFile(path)).toEqual(before)
  })

  test('says so when its file has been damaged', async () => {
    const path = await temporaryPath()
    await (await openSqlite({ path })).close()
    await truncate(path, 8_192)
    const damaged = open(path).then(store => load(store))
    await expect(damaged).rejects.toThrow(refusal('registry_corrupt', path, /restore a backup/))
  })

  test('refuses a newer version of itself, naming both', async () => {
    const path = await temporaryPath()
    await (await openSqlite({ path })).close()
    new DatabaseSync(path).exec('update meta set schema_version = 99')
    await expect(open(path)).rejects.toThrow(
      refusal('registry_newer', path, new RegExp(`99.*up to ${SCHEMA_VERSION}.*Upgrade`)),
    )
  })

  test('refuses a second row with the same key as an error of its caller', async () => {
    const store = await openSqlite()
    await insert(store)
    await expect(insert(store)).rejects.toThrow(refusal('internal', '', /UNIQUE.*before it inserts/))
  })
})

describe('where the user may not write', () => {
  test('a file is read-only', async () => {
    const path = await temporaryPath()
    await (await openSqlite({ path })).close()
    await chmod(dirname(path), 0o755)
    await chmod(path, 0o444)
    const { code, message } = await refusalOfUnprivileged(path)
    expect(code).toBe('registry_read_only')
    expect(message).toMatch(new RegExp(`${literally(path)} is not writable.*right to write`))
  })

  test('a folder is read-only', async () => {
    const folder = join(await temporaryFolder(), 'folder')
    await chmod(dirname(folder), 0o755)
    await mkdir(folder)
    await chmod(folder, 0o555)
    const { code, message } = await refusalOfUnprivileged(join(folder, 'registry.db'))
    expect(code).toBe('registry_read_only')
    expect(message).toMatch(new RegExp(`${literally(folder)} is not writable.*right to write`))
  })

  test('a folder cannot be made', async () => {
    const folder = await temporaryFolder()
    await chmod(folder, 0o555)
    const { code } = await refusalOfUnprivileged(join(folder, 'more', 'registry.db'))
    expect(code).toBe('registry_read_only')
  })
})

/** What a child says in this role, on a file system of its own with 1 MB. */
async function onFullDisk(role: string): Promise<{ lines: string[]; stderr: string }> {
  const folder = await temporaryFolder()
  const child = new URL('child.ts', import.meta.url).pathname
  const script = `${MOUNTING} && exec "$2" "$3" "$4" "$1/registry.db"`
  const { stdout, stderr } = spawnSync(
    'unshare',
    [...OWN_MOUNTS, 'sh', '-c', script, 'sh', folder, process.execPath, child, role],
    { encoding: 'utf8' },
  )
  return { lines: stdout.trim().split('\n'), stderr }
}

test('a file system without room is a transient error, and what was written stays', async () => {
  const { lines, stderr } = await onFullDisk('fill the disk')
  expect(lines, stderr).toEqual(['registry_disk_full', 'kept', 'written again'])
})

test('of appends that share a commit, the one without room is refused, and its neighbours are written', async () => {
  const { lines, stderr } = await onFullDisk('fill the disk together')
  expect(lines, stderr).toEqual([
    'done done done done registry_disk_full done done done done done',
    '1:0 2:1 3:2 4:3 5:5 6:6 7:7 8:8 9:9',
    '',
    '1',
  ])
})
