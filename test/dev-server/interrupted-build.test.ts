import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cachedPath } from '../../src/dev-server/binary-cache.ts'
import { TEMPORAL_CLI } from '../../src/dev-server/find-temporal-server.ts'
import { findTemporalServer } from '../../src/dev-server/index.ts'
import {
  BUILT,
  fakeGo,
  leavings,
  OFFLINE,
  startOwner,
  temporaryFolder,
  untilBuilds,
  untilGone,
} from './fixtures.ts'

async function prepare() {
  const folder = await temporaryFolder()
  const go = await fakeGo(folder)
  const cacheDir = join(folder, 'cache')
  return { go, cacheDir, env: { ...OFFLINE, PATH: go.bin } }
}

async function expectWhole(cacheDir: string) {
  expect(await readFile(cachedPath(cacheDir, TEMPORAL_CLI), 'utf8')).toBe(BUILT)
  expect(await leavings(cacheDir)).toEqual([])
}

test('a builder that is SIGKILLed takes its go along and leaves nothing in the cache; the next call builds', async () => {
  const { go, cacheDir, env } = await prepare()
  const { child } = startOwner('find', cacheDir, env)
  const [firstGo] = (await untilBuilds(go, 1)) as [number]
  child.kill('SIGKILL')
  await untilGone(firstGo)
  await expect(readFile(cachedPath(cacheDir, TEMPORAL_CLI))).rejects.toThrow('ENOENT')
  expect(await leavings(cacheDir)).toHaveLength(1)

  await go.release()
  expect((await findTemporalServer({ env, cacheDir })).source).toBe('go')
  await expectWhole(cacheDir)
})

test('an abort ends the build and removes its folder, and rejects with its reason; the next call builds', async () => {
  const { go, cacheDir, env } = await prepare()
  const abort = new AbortController()
  const finding = findTemporalServer({ env, cacheDir, signal: abort.signal })
  const [firstGo] = (await untilBuilds(go, 1)) as [number]
  const reason = new Error('Ctrl-C')
  abort.abort(reason)
  await expect(finding).rejects.toBe(reason)
  await untilGone(firstGo)
  expect(await leavings(cacheDir)).toEqual([])

  await go.release()
  await findTemporalServer({ env, cacheDir })
  await expectWhole(cacheDir)
})

test('two at once build once: the second says that it waits, and uses what the first has built', async () => {
  const { go, cacheDir, env } = await prepare()
  const first = startOwner('find', cacheDir, env)
  await untilBuilds(go, 1)
  const second = startOwner('find', cacheDir, env)
  await second.line('waiting for the Temporal CLI')
  await go.release()
  expect(JSON.parse(await first.line('{'))).toEqual({
    path: cachedPath(cacheDir, TEMPORAL_CLI),
    source: 'go',
  })
  expect(JSON.parse(await second.line('{'))).toEqual({
    path: cachedPath(cacheDir, TEMPORAL_CLI),
    source: 'cache',
  })
  expect(await go.builds()).toHaveLength(1)
  await expectWhole(cacheDir)
})

test('two calls in one process build once as well', async () => {
  const { go, cacheDir, env } = await prepare()
  await go.release()
  const found = await Promise.all([
    findTemporalServer({ env, cacheDir }),
    findTemporalServer({ env, cacheDir }),
  ])
  expect(found.map(({ source }) => source).sort()).toEqual(['cache', 'go'])
  expect(await go.builds()).toHaveLength(1)
})

test('whoever waits for a builder that is SIGKILLed takes over and builds', async () => {
  const { go, cacheDir, env } = await prepare()
  const first = startOwner('find', cacheDir, env)
  await untilBuilds(go, 1)
  const second = startOwner('find', cacheDir, env)
  await second.line('waiting for the Temporal CLI')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await untilBuilds(go, 2)
  await go.release()
  expect(JSON.parse(await second.line('{')).source).toBe('go')
  await expectWhole(cacheDir)
})

test('an abort ends the wait for another builder, and leaves that one alone', async () => {
  const { go, cacheDir, env } = await prepare()
  const first = startOwner('find', cacheDir, env)
  await untilBuilds(go, 1)
  const abort = new AbortController()
  const reason = new Error('Ctrl-C')
  const onProgress = () => abort.abort(reason)
  await expect(findTemporalServer({ env, cacheDir, signal: abort.signal, onProgress })).rejects.toBe(reason)
  await go.release()
  expect(JSON.parse(await first.line('{')).source).toBe('go')
})
