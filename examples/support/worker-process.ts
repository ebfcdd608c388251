import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ExampleError } from './example-error.ts'
import type { WorkerMessage } from './worker-channel.ts'

/** A worker in a process of its own, so that killing it is a real crash. */
export interface WorkerProcess extends AsyncDisposable {
  /** As records name it. */
  readonly id: string
  readonly pid: number
  /** Settles when it has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed, nothing is given back. */
  kill(): Promise<void>
  /** Lets it drain, and waits for its end. May be called twice. */
  stop(): Promise<void>
}

export interface WorkerOptions {
  /** Its program. */
  readonly script: URL
  readonly dataDir: string
  /** What it is told after the data folder. */
  readonly arguments: readonly string[]
  /** Called with each warning of the worker, as a line for people. */
  readonly onWarning: (line: string) => void
}

/** A worker that does not drain within this time is killed: its lease is then taken over, as after a crash. */
const DRAIN_WITHIN_MS = 15_000

/** Starts one and waits until it takes work. What its libraries print goes to `worker.log` in the data folder. */
export async function startWorkerProcess(
  { script, dataDir, arguments: more, onWarning }: WorkerOptions,
  signal: AbortSignal,
): Promise<WorkerProcess> {
  signal.throwIfAborted()
  const logPath = join(dataDir, 'worker.log')
  await mkdir(dataDir, { recursive: true })
  await using log = await open(logPath, 'a')
  const child = fork(fileURLToPath(script), [dataDir, ...more], {
    execArgv: [],
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  const exited = once(child, 'exit').then(() => {})

  async function stop(): Promise<void> {
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_WITHIN_MS)
    await exited
    clearTimeout(timer)
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await exited
  }

  try {
    const id = await untilReady()
    return { id, pid: child.pid ?? 0, exited, kill, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }

  function untilReady(): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      child.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve(message.id)
        else if (message.type === 'failed') reject(new ExampleError(message.code, message.message))
        else onWarning(`worker ${child.pid}: ${message.text}`)
      })
      void exited.then(() => reject(workerEnded(logPath)))
    })
  }
}

export const workerEnded = (logPath: string): ExampleError =>
  new ExampleError(
    'worker_failed',
    `The worker ended unexpectedly; the next start goes on from here. Its log: ${logPath}`,
  )
