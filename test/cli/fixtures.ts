import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inject, onTestFinished } from 'vitest'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { scanOutput } from '../support/scan/output.ts'
import { RUN_ENV } from '../support/scan/run-secrets.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const LIBRARY = new URL('../../src/index.ts', import.meta.url).href
const ZOD = import.meta.resolve('zod')

type Variables = Readonly<Record<string, string>>

export interface CliOptions {
  readonly env?: Variables
  readonly stdin?: string
  /** The file that standard output goes to; what is read of it is then empty. */
  readonly stdoutTo?: string
  /** Another user, where permissions are what is tested. */
  readonly uid?: number
}

/** How a command ended. */
export interface CliEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder with a registry and a host module of the test's own. */
export interface Workspace {
  readonly folder: string
  readonly registryPath: string
  /** A process id of the test's own: all tests share one Temporal server, and with it the ids of its workflows. */
  readonly id: string
  /** Runs a command to its end. */
  cli(args: readonly string[], options?: CliOptions): Promise<CliEnd>
  /** Runs a command that goes on; killed at the end of the test at the latest. */
  start(args: readonly string[], options?: CliOptions): RunningCli
  /** Writes a host module over this workspace's registry; what it holds beside that is JavaScript. */
  writeHost(members: string): Promise<string>
  /** Any file of the workspace; its path. */
  write(name: string, content: string): Promise<string>
  /** The same registry, opened by the test itself. */
  openRegistry(): Promise<ProcessRegistry>
}

export interface RunningCli {
  readonly child: ChildProcess
  /** The first line, of those that were not looked at before, that contains the text, on either stream. */
  line(text: string): Promise<string>
  readonly ended: Promise<CliEnd>
  /** Sends the signal again and again until the command has ended: a second one soon after the first does not count. */
  insist(signal: NodeJS.Signals): Promise<CliEnd>
}

export async function openWorkspace(): Promise<Workspace> {
  const folder = await temporaryFolder()
  const registryPath = join(folder, 'data', 'leasehold.db')
  const env = {
    ...inherited('PATH', 'HOME', 'XDG_CACHE_HOME', 'TEMPORAL_CLI_PATH'),
    ...RUN_ENV,
    LEASEHOLD_REGISTRY: `sqlite:${registryPath}`,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    // Where a user's own temporal.toml would be.
    XDG_CONFIG_HOME: folder,
    NO_COLOR: '1',
  }
  const start = (args: readonly string[], options: CliOptions = {}) =>
    startCli(args, { ...options, env: { ...env, ...options.env }, cwd: folder })
  const write = async (name: string, content: string) => {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }
  return {
    folder,
    registryPath,
    id: `p-${randomUUID().slice(0, 8)}`,
    start,
    cli: (args, options) => start(args, options).ended,
    write,
    writeHost: members => write('host.ts', hostModule(registryPath, members)),
    openRegistry: async () => {
      await mkdir(join(folder, 'data'), { recursive: true })
      const registry = createProcessRegistry(await createSqliteStore({ path: registryPath }))
      onTestFinished(() => registry.close())
      return registry
    },
  }
}

const hostModule = (registryPath: string, members: string): string => `
import { defineEngine, defineHost, defineTool, ProcessFailure, sqliteRegistry } from '${LIBRARY}'
import { z } from '${ZOD}'
export default defineHost({ registry: sqliteRegistry({ path: ${JSON.stringify(registryPath)} }), ${members} })
`

function startCli(
  args: readonly string[],
  { env, cwd, stdin, stdoutTo, uid }: CliOptions & { readonly cwd: string },
): RunningCli {
  const output = stdoutTo === undefined ? undefined : openSync(stdoutTo, 'w')
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env,
    stdio: ['pipe', output ?? 'pipe', 'pipe'],
    // A group of its own, as a terminal's foreground job is.
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  if (output !== undefined) closeSync(output)
  child.stdin?.end(stdin ?? '')
  scanOutput(child)
  const exited = once(child, 'exit')
  const ended = Promise.all([exited, readAll(child.stdout), readAll(child.stderr)]).then(
    ([[code], stdout, stderr]): CliEnd => ({ code, stdout, stderr }),
  )
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = watchLines(child)
  return {
    child,
    ended,
    line: lines.next,
    async insist(signal) {
      const timer = setInterval(() => child.kill(signal), 100)
      return ended.finally(() => clearInterval(timer))
    },
  }
}

const readAll = async (stream: Readable | null): Promise<string> => (stream === null ? '' : text(stream))

/** The lines of both streams in the order in which they come. */
function watchLines(child: ChildProcess) {
  const lines: string[] = []
  let looked = 0
  let isOver = false
  let wake = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
      wake()
    })
  }
  child.once('close', () => {
    isOver = true
    wake()
  })
  return {
    async next(text: string): Promise<string> {
      while (true) {
        while (looked < lines.length) {
          const line = lines[looked++] ?? ''
          if (line.includes(text)) return line
        }
        if (isOver)
          throw new Error(`The command ended without a line with "${text}". It said:\n${lines.join('\n')}`)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
  }
}

const inherited = (...names: readonly string[]): Variables =>
  Object.fromEntries(
    names.flatMap(name => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )

/** The error of a command that was given --json. */
export const jsonError = ({ stderr }: CliEnd): { readonly code: string; readonly message: string } =>
  JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error
