import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cachedPath } from '../../src/dev-server/binary-cache.ts'
import { TEMPORAL_CLI } from '../../src/dev-server/find-temporal-server.ts'
import { findTemporalServer } from '../../src/dev-server/index.ts'
import { BUILT, fakeGo, OFFLINE, temporaryFolder } from './fixtures.ts'

async function writeBinary(path: string, mode = 0o755): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, BUILT)
  await chmod(path, mode)
  return path
}

describe('the order of the places', () => {
  test.each([
    { there: ['named', 'onPath', 'cached', 'go'], source: 'TEMPORAL_CLI_PATH' },
    { there: ['onPath', 'cached', 'go'], source: 'PATH' },
    { there: ['cached', 'go'], source: 'cache' },
    { there: ['go'], source: 'go' },
  ])('of $there it is $source', async ({ there, source }) => {
    const folder = await temporaryFolder()
    const cacheDir = join(folder, 'cache')
    const go = await fakeGo(folder)
    await go.release()
    const env: Record<string, string> = { ...OFFLINE, PATH: go.bin }
    const expected: Record<string, string> = {
      cache: cachedPath(cacheDir, TEMPORAL_CLI),
      go: cachedPath(cacheDir, TEMPORAL_CLI),
    }
    if (there.includes('named')) {
      env.TEMPORAL_CLI_PATH = await writeBinary(join(folder, 'named'))
      expected.TEMPORAL_CLI_PATH = env.TEMPORAL_CLI_PATH
    }
    if (there.includes('onPath')) expected.PATH = await writeBinary(join(go.bin, 'temporal'))
    if (there.includes('cached')) await writeBinary(cachedPath(cacheDir, TEMPORAL_CLI))

    expect(await findTemporalServer({ env, cacheDir })).toEqual({ path: expected[source], source })
  })

  test('what was built stands in the cache the next time', async () => {
    const folder = await temporaryFolder()
    const go = await fakeGo(folder)
    await go.release()
    const find = () =>
      findTemporalServer({ env: { ...OFFLINE, PATH: go.bin }, cacheDir: join(folder, 'cache') })
    const built = await find()
    expect(await find()).toEqual({ path: built.path, source: 'cache' })
    expect(await go.builds()).toHaveLength(1)
  })

  test('a folder or a plain file named temporal on PATH is passed over', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'first/temporal'), { recursive: true })
    await writeBinary(join(folder, 'second/temporal'), 0o644)
    const path = await writeBinary(join(folder, 'third/temporal'))
    const env = { PATH: ['first', 'second', 'third'].map(name => join(folder, name)).join(':') }
    expect(await findTemporalServer({ env, cacheDir: folder })).toEqual({ path, source: 'PATH' })
  })
})

describe('what is wrong is said', () => {
  test.each([
    { title: 'names nothing', name: 'missing', reason: 'no such file exists' },
    { title: 'names a folder', name: 'folder', reason: 'it is not a file' },
    { title: 'names a file that nobody may execute', name: 'plain', reason: 'it is not executable' },
  ])('a TEMPORAL_CLI_PATH that $title is an error, though PATH has a good one', async ({ name, reason }) => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'folder'))
    await writeBinary(join(folder, 'plain'), 0o644)
    await writeBinary(join(folder, 'bin/temporal'))
    const env = { TEMPORAL_CLI_PATH: join(folder, name), PATH: join(folder, 'bin') }
    await expect(findTemporalServer({ env, cacheDir: folder })).rejects.toMatchObject({
      code: 'temporal_server_missing',
      message: expect.stringContaining(reason),
    })
  })

  test('with nothing found, no download and no go, the error says what was tried and what to install', async () => {
    const cacheDir = join(await temporaryFolder(), 'cache')
    const error = await findTemporalServer({ env: { ...OFFLINE, PATH: '' }, cacheDir }).catch(e => e)
    expect(error.code).toBe('temporal_server_missing')
    for (const said of [
      'download: ',
      'go: no `go` on PATH',
      'install the Temporal CLI',
      'install Go 1.25',
      'TEMPORAL_ADDRESS',
    ])
      expect(error.message).toContain(said)
  })

  test('a build that fails is told with what go said', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'go'), '#!/bin/sh\necho "go: your Go is too old" >&2\nexit 1\n', {
      mode: 0o755,
    })
    const found = findTemporalServer({ env: { ...OFFLINE, PATH: folder }, cacheDir: join(folder, 'cache') })
    await expect(found).rejects.toMatchObject({
      code: 'temporal_server_missing',
      message: expect.stringContaining('your Go is too old'),
    })
  })

  test('a cache folder that cannot be made is named', async () => {
    const folder = await temporaryFolder()
    const cacheDir = join(await writeBinary(join(folder, 'file')), 'cache')
    await expect(findTemporalServer({ env: OFFLINE, cacheDir })).rejects.toMatchObject({
      code: 'temporal_server_missing',
      message: expect.stringContaining(cacheDir),
    })
  })
})
