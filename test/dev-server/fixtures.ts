import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, vi } from 'vitest'
import { findTemporalServer } from '../../src/dev-server/index.ts'

// Servers and child processes start in about a second each, but not on a machine that also builds one.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** A proxy at which nobody listens: the SDK's download fails at once, wherever the tests run. */
export const OFFLINE = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' }

export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'leasehold-dev-server-'))
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 10 }))
  return path
}

/** A real Temporal CLI, from wherever this machine's user has it. */
export async function realTemporal(): Promise<string> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'leasehold')
  return (await findTemporalServer({ env: process.env, cacheDir, onProgress: console.error })).path
}

/** An executable file that runs `javascript` (CommonJS) on this Node, with the caller's arguments. */
export async function writeExecutable(path: string, javascript: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.cjs`, javascript)
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${path}.cjs' "$@"\n`)
  await chmod(path, 0o755)
  return path
}

/** A `mvn` that fetches one jar in two halves, and between them waits for `release()`; and a `java` that says what it is to run. */
export async function fakeMaven(folder: string): Promise<FakeGo> {
  await writeExecutable(join(folder, 'bin', 'java'), 'console.log(JSON.stringify(process.argv.slice(2)))')
  return fakeMaker(
    folder,
    'mvn',
    `(() => {
       const [, lib] = process.argv.find(each => each.startsWith('-DoutputDirectory=')).split('=')
       fs.mkdirSync(lib)
       return lib + '/server.jar'
     })()`,
  )
}

export interface FakeGo {
  /** The folder to put on PATH. */
  readonly bin: string
  /** The process ids of the builds so far, each written once half of its file is. */
  builds(): Promise<number[]>
  /** Lets the builds that wait, and later ones, finish. */
  release(): Promise<void>
}

/** What a fake build makes, and what must stand in the cache in the end: whole, or not at all. */
export const BUILT = '#!/bin/sh\n# first half\n# second half\n'

/** A `go` that builds a small file in two halves, and between them waits for `release()`. */
export const fakeGo = (folder: string): Promise<FakeGo> =>
  fakeMaker(folder, 'go', "process.env.GOBIN + '/temporal'")

/** `out`: an expression that gives the path of the file. */
async function fakeMaker(folder: string, name: string, out: string): Promise<FakeGo> {
  const bin = join(folder, 'bin')
  const [log, gate] = [join(folder, 'builds'), join(folder, 'released')]
  const [first, second] = [BUILT.slice(0, 20), BUILT.slice(20)]
  await writeExecutable(
    join(bin, name),
    `const fs = require('node:fs')
     const out = ${out}
     fs.writeFileSync(out, ${JSON.stringify(first)}, { mode: 0o755 })
     fs.appendFileSync(${JSON.stringify(log)}, process.pid + '\\n')
     const timer = setInterval(() => {
       if (!fs.existsSync(${JSON.stringify(gate)})) return
       clearInterval(timer)
       fs.appendFileSync(out, ${JSON.stringify(second)})
     }, 10)`,
  )
  return {
    bin,
    builds: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number),
    release: () => writeFile(gate, ''),
  }
}

/** The folders in which a binary is or was being made. */
export async function leavings(cacheDir: string): Promise<string[]> {
  return (await readdir(cacheDir)).filter(name => name.includes('.making-'))
}

export interface Owner {
  readonly child: ChildProcess
  /** The next line of its output that contains `text`; lines before it are skipped. */
  line(text: string): Promise<string>
}

/** Starts `owner.ts` as a process (and process group) of its own, as a terminal would. */
export function startOwner(
  mode: 'find' | 'find-test' | 'serve',
  cacheDir: string,
  env: Record<string, string>,
): Owner {
  const script = fileURLToPath(new URL('./owner.ts', import.meta.url))
  const child = spawn(process.execPath, [script, mode, cacheDir], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    async line(text) {
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`the owner ended without a line that contains "${text}"`)
        if (value.includes(text)) return value
      }
    },
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export const untilGone = (pid: number): Promise<void> =>
  expect.poll(() => isAlive(pid), { timeout: 30_000, message: `process ${pid} should be gone` }).toBe(false)

/** Waits until so many builds have begun, and gives their process ids. */
export async function untilBuilds(go: FakeGo, count: number): Promise<number[]> {
  await expect.poll(go.builds, { timeout: 30_000 }).toHaveLength(count)
  return go.builds()
}
