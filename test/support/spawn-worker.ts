import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.ts'
import type { InlineMainOptions } from './inline-main.ts'
import type { McpMainOptions } from './mcp-main.ts'
import { scanOutput } from './scan/output.ts'
import type { StreamReaderOptions } from './stream-reader-main.ts'
import type { WakeMainOptions } from './wake-main.ts'
import type { WorkerMainOptions } from './worker-main.ts'

export interface WorkerProcess {
  readonly pid: number
  /** What it said so far, one JSON object a line. */
  readonly lines: readonly string[]
  /** Resolves when it has ended, however that was. */
  readonly exited: Promise<unknown>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>
  /** SIGTERM: it drains, and ends by itself. */
  stop(): Promise<void>
  /** SIGSTOP and SIGCONT: frozen, as by a sleeping machine. */
  freeze(): void
  thaw(): void
}

/** A worker of the crash host in an OS process of its own; resolves when it takes work. Killed with the test at the latest. */
export const spawnWorker = ({ clockAheadMs, ...options }: SpawnOptions): Promise<WorkerProcess> =>
  spawnWorkerMain('worker-main.ts', options, clockAheadMs)

export interface SpawnOptions extends WorkerMainOptions {
  /** How far its host's clock is ahead. Default 0. */
  readonly clockAheadMs?: number
}

/** The same without a server: an inline worker. */
export const spawnInlineWorker = (options: InlineMainOptions): Promise<WorkerProcess> =>
  spawnWorkerMain('inline-main.ts', options)

/** One that tells a session of what it does, and hands that over. */
export const spawnWakeWorker = (options: WakeMainOptions): Promise<WorkerProcess> =>
  spawnWorkerMain('wake-main.ts', options)

/** One with the tools of an MCP server. */
export const spawnMcpWorker = (options: McpMainOptions): Promise<WorkerProcess> =>
  spawnWorkerMain('mcp-main.ts', options)

/** No worker, but whoever reads what one says. */
export const spawnStreamReader = (options: StreamReaderOptions): Promise<WorkerProcess> =>
  spawnWorkerMain('stream-reader-main.ts', options)

/** One that says each span that ends in it. */
export const spawnTracedWorker = (options: { readonly registry: string }): Promise<WorkerProcess> =>
  spawnWorkerMain('traced-main.ts', options)

async function spawnWorkerMain(file: string, options: object, clockAheadMs?: number): Promise<WorkerProcess> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const skewed =
    clockAheadMs === undefined ? [] : ['--import', new URL('skew-clock.ts', import.meta.url).href]
  const child = spawn(process.execPath, [...skewed, script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...(clockAheadMs === undefined ? {} : { CLOCK_AHEAD_MS: `${clockAheadMs}` }) },
  })
  scanOutput(child, { isPassedOn: true })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  const lines: string[] = []
  const ready = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', line => {
    lines.push(line)
    if (line.includes('"what":"ready"')) ready.resolve()
  })
  child.on('exit', code =>
    ready.reject(new Error(`the worker ended with ${code} before it was ready: ${lines}`)),
  )
  await ready.promise
  return {
    pid: child.pid ?? 0,
    lines,
    exited,
    kill,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
  }
}

/**
 * Freezes a worker at a moment at which it holds no lock of its SQLite file. In the middle of a write it would hold that
 * lock until it thaws, and nobody else could write: with one file that is so, and it is not what these tests are about.
 */
export async function freezeBetweenWrites(worker: WorkerProcess, registryPath: string): Promise<void> {
  await eventually(() => {
    worker.freeze()
    if (canWrite(registryPath)) return true
    worker.thaw()
    return false
  })
}

function canWrite(path: string): boolean {
  // Long enough for the writes of those who are not frozen.
  using db = new DatabaseSync(path, { timeout: 500 })
  try {
    db.exec('begin immediate; rollback')
    return true
  } catch {
    return false
  }
}
