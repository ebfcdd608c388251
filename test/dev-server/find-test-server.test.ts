import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { cachedPath } from '../../src/dev-server/binary-cache.ts'
import { TEST_SERVER } from '../../src/dev-server/find-test-server.ts'
import { findTestServer } from '../../src/dev-server/index.ts'
import {
  BUILT,
  fakeMaven,
  leavings,
  OFFLINE,
  startOwner,
  temporaryFolder,
  untilBuilds,
  untilGone,
  writeExecutable,
} from './fixtures.ts'

const run = promisify(execFile)

async function prepare() {
  const folder = await temporaryFolder()
  const maven = await fakeMaven(folder)
  const cacheDir = join(folder, 'cache')
  const path = cachedPath(cacheDir, TEST_SERVER)
  return { folder, maven, cacheDir, path, env: { ...OFFLINE, PATH: `${maven.bin}:/usr/bin:/bin` } }
}

async function expectWhole(cacheDir: string) {
  const path = cachedPath(cacheDir, TEST_SERVER)
  expect(await readFile(join(dirname(path), 'lib/server.jar'), 'utf8')).toBe(BUILT)
  expect(await leavings(cacheDir)).toEqual([])
}

test('a named test server goes before one in the cache, and that before Maven, which is asked once', async () => {
  const { folder, maven, cacheDir, path, env } = await prepare()
  await maven.release()
  const named = await writeExecutable(join(folder, 'named'), '')
  const withName = { ...env, TEMPORAL_TEST_SERVER_PATH: named }
  expect(await findTestServer({ env: withName, cacheDir })).toEqual({
    path: named,
    source: 'TEMPORAL_TEST_SERVER_PATH',
  })
  expect(await findTestServer({ env, cacheDir })).toEqual({ path, source: 'maven' })
  expect(await findTestServer({ env, cacheDir })).toEqual({ path, source: 'cache' })
  expect(await findTestServer({ env: withName, cacheDir })).toMatchObject({ path: named })
  expect(await maven.builds()).toHaveLength(1)
  await expectWhole(cacheDir)
})

test('what Maven fetched is run by Java, from wherever it is called, with its port', async () => {
  const { maven, cacheDir, path, env } = await prepare()
  await maven.release()
  await findTestServer({ env, cacheDir })
  const { stdout } = await run(path, ['7777'], { env, cwd: '/' })
  const lib = `${join(dirname(path), 'lib')}/*`
  expect(JSON.parse(stdout)).toEqual(['-cp', lib, 'io.temporal.testserver.TestServer', '7777'])
})

test('a fetch that is SIGKILLed takes Maven along and leaves nothing in the cache; whoever waits takes over', async () => {
  const { maven, cacheDir, env } = await prepare()
  const first = startOwner('find-test', cacheDir, env)
  const [firstMaven] = (await untilBuilds(maven, 1)) as [number]
  const second = startOwner('find-test', cacheDir, env)
  await second.line('waiting for the Temporal test server')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await untilGone(firstMaven)
  await untilBuilds(maven, 2)
  await maven.release()
  expect(JSON.parse(await second.line('{')).source).toBe('maven')
  await expectWhole(cacheDir)
})

test('an abort ends the fetch and removes its folder, and rejects with its reason; the next call fetches', async () => {
  const { maven, cacheDir, env } = await prepare()
  const abort = new AbortController()
  const finding = findTestServer({ env, cacheDir, signal: abort.signal })
  const [firstMaven] = (await untilBuilds(maven, 1)) as [number]
  const reason = new Error('Ctrl-C')
  abort.abort(reason)
  await expect(finding).rejects.toBe(reason)
  await untilGone(firstMaven)
  expect(await leavings(cacheDir)).toEqual([])
  await maven.release()
  await findTestServer({ env, cacheDir })
  await expectWhole(cacheDir)
})

test('a cached folder that somebody has taken the executable out of is made anew', async () => {
  const { maven, cacheDir, path, env } = await prepare()
  await maven.release()
  await findTestServer({ env, cacheDir })
  await run('rm', [path])
  expect(await findTestServer({ env, cacheDir })).toEqual({ path, source: 'maven' })
  await expectWhole(cacheDir)
})

test.each([
  {
    title: 'nothing there',
    says: ['download: ', 'maven: no `mvn` on PATH', 'install Java', 'TEMPORAL_TEST_SERVER_PATH'],
  },
  { title: 'a Maven that fails', mvn: 'echo "[ERROR] no such artifact"; exit 1', says: ['no such artifact'] },
  { title: 'no Java', mvn: 'exit 0', withoutJava: true, says: ['no `java` on PATH'] },
])(
  'with $title, the error says what was tried and what to do',
  async ({ mvn, withoutJava = false, says }) => {
    const folder = await temporaryFolder()
    if (mvn !== undefined) await writeFile(join(folder, 'mvn'), `#!/bin/sh\n${mvn}\n`, { mode: 0o755 })
    if (!withoutJava) await writeExecutable(join(folder, 'java'), '')
    const found = findTestServer({ env: { ...OFFLINE, PATH: folder }, cacheDir: join(folder, 'cache') })
    const error = await found.catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'temporal_server_missing' })
    for (const said of says) expect(error.message).toContain(said)
  },
)
