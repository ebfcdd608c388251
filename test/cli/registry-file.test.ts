import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { jsonError, openWorkspace } from './fixtures.ts'

async function withRegistryFile() {
  const workspace = await openWorkspace()
  await mkdir(dirname(workspace.registryPath))
  await (await createSqliteStore({ path: workspace.registryPath })).close()
  return workspace
}

const READ_ONLY_COMMANDS = [
  ['list'],
  ['show', 'x'],
  ['events', 'x'],
  ['steps', 'x'],
  ['await', 'x'],
  ['cancel', 'x'],
]

describe('a registry file that', () => {
  test.each(READ_ONLY_COMMANDS)(
    'is missing stays so for %s: registry_unavailable, exit 5',
    async (...command) => {
      const { cli, folder } = await openWorkspace()
      const { code, stderr } = await cli(command.filter(word => word !== undefined))
      expect(code).toBe(5)
      expect(stderr).toMatch(
        /^error: registry_unavailable: There is no registry at .*leasehold\.db\. Check the path/,
      )
      expect(await readdir(folder)).toEqual([])
    },
  )

  test('is missing stays so if the host module names it', async () => {
    const { cli, writeHost, folder } = await openWorkspace()
    const host = await writeHost('')
    expect((await cli(['list', '--host', host], { env: { LEASEHOLD_REGISTRY: '' } })).code).toBe(5)
    expect(existsSync(join(folder, 'data'))).toBe(false)
  })

  test('is empty stays so', async () => {
    const { cli, write } = await openWorkspace()
    const path = await write('empty.db', '')
    const ended = await cli(['list', '--registry', `sqlite:${path}`])
    expect(ended).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no registry at') })
  })

  test('is a folder is refused', async () => {
    const { cli, folder } = await openWorkspace()
    const ended = await cli(['list', '--registry', `sqlite:${folder}`, '--json'])
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_unavailable', path: folder })
    expect(jsonError(ended).message).toContain('it is a folder')
  })

  test('is no database is refused', async () => {
    const { cli, write } = await openWorkspace()
    const path = await write('diary.txt', 'Dear diary, '.repeat(1_000))
    const ended = await cli(['list', '--registry', `sqlite:${path}`, '--json'])
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_corrupt', path })
  })

  test('was damaged is refused', async () => {
    const { cli, registryPath } = await withRegistryFile()
    await truncate(registryPath, 8_192)
    const ended = await cli(['list', '--json'])
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_corrupt' })
  })

  test('a newer Leasehold wrote is refused, naming both versions', async () => {
    const { cli, registryPath } = await withRegistryFile()
    new DatabaseSync(registryPath).exec('update meta set schema_version = 99')
    const ended = await cli(['list', '--json'])
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_newer', found: 99 })
  })

  test('is locked can still be read, but not written', async () => {
    const { cli, registryPath } = await withRegistryFile()
    const other = new DatabaseSync(registryPath)
    other.exec('begin immediate')
    expect((await cli(['list'])).code).toBe(0)
    const ended = await cli(['cancel', 'x', '--json'])
    other.close()
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_locked' })
  })

  test('is not writable for this user cannot be written', async () => {
    const { cli, folder, registryPath } = await withRegistryFile()
    await chmod(folder, 0o755)
    await chmod(dirname(registryPath), 0o555)
    await chmod(registryPath, 0o444)
    // Permissions do not bind root, so as root the command runs as somebody else.
    const somebody = process.getuid?.() === 0 ? { uid: 65_534 } : {}
    const ended = await cli(['cancel', 'x', '--json'], somebody)
    await chmod(dirname(registryPath), 0o755)
    expect(ended.code).toBe(5)
    expect(jsonError(ended)).toMatchObject({ code: 'registry_read_only' })
  })

  test('shows where an error happened only with --debug', async () => {
    const { cli } = await openWorkspace()
    expect((await cli(['list'])).stderr).not.toContain('    at ')
    expect((await cli(['list', '--debug'])).stderr).toContain('    at ')
  })
})

test('a file of that name in the folder of the caller is found by a relative path', async () => {
  const { cli, folder } = await withRegistryFile()
  await writeFile(join(folder, 'unrelated'), '')
  expect((await cli(['list', '--registry', 'sqlite:data/leasehold.db'])).code).toBe(0)
})
