import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { siblingScript } from './sibling-script.ts'
import type { Environment } from './temporal-cli.ts'

/** Of each: a crash says why in its first lines and where in its last, with a long stack between them. */
const STDERR_LINES_KEPT = 10
/** How long the guard itself may take beyond the grace before it is killed as well. */
const GUARD_MARGIN_MS = 2_000

export interface GuardedCommandOptions {
  readonly env: Environment
  /** @default the owner's working directory */
  readonly cwd?: string
  /** How long the command may take to end after SIGTERM, before SIGKILL. @default 5000 */
  readonly graceMs?: number
  readonly onStdout?: (line: string) => void
  readonly onStderr?: (line: string) => void
  /** Aborting it is a call of `stop()`. */
  readonly signal?: AbortSignal | undefined
}

export interface GuardedExit {
  /** The command's exit code, 128 + n after signal n; null if its guard was killed. */
  readonly code: number | null
  /** The first and the last lines of its standard error. */
  readonly stderr: string
}

/** A running command that cannot outlive this process. */
export interface GuardedCommand {
  /** The command's own process id, once it is known. */
  readonly pid: number | undefined
  /** Settles once, when command and guard are gone. Never rejects. */
  readonly exited: Promise<GuardedExit>
  /** Ends the command and waits for its end. May be called twice, or after it has ended. */
  stop(): Promise<void>
}

/** Starts a command under a guard (see `guard.ts`), which ends it when this process ends or says so. */
export function startGuarded(
  command: string,
  args: readonly string[],
  options: GuardedCommandOptions,
): GuardedCommand {
  const { env, cwd, graceMs = 5_000, signal } = options
  const guard = fork(siblingScript('guard'), [String(graceMs), command, ...args], {
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    // Not inherited: a debugger's or test runner's flags are not meant for the guard.
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let pid: number | undefined
  guard.on('message', message => {
    pid = (message as { pid: number }).pid
  })
  const first: string[] = []
  const last: string[] = []
  const stdoutRead = eachLine(guard.stdout, line => options.onStdout?.(line))
  const stderrRead = eachLine(guard.stderr, line => {
    if (first.length < STDERR_LINES_KEPT) first.push(line)
    else if (last.push(line) > STDERR_LINES_KEPT) last.shift()
    options.onStderr?.(line)
  })
  // A guard that was itself killed has left its command behind, and nobody else would end it.
  guard.once('exit', (_code, killedBy) => {
    if (killedBy !== null) killGroup(guard)
  })
  const exited = endOf(guard, [stdoutRead, stderrRead]).then(
    (code): GuardedExit => ({ code, stderr: [...first, ...last].join('\n') }),
    (error: Error): GuardedExit => ({ code: null, stderr: error.message }),
  )

  async function stop(): Promise<void> {
    if (guard.connected) guard.disconnect()
    const timer = setTimeout(() => killGroup(guard), graceMs + GUARD_MARGIN_MS)
    await exited
    clearTimeout(timer)
  }
  const onAbort = () => void stop()
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  void exited.then(() => signal?.removeEventListener('abort', onAbort))

  return {
    get pid() {
      return pid
    },
    exited,
    stop,
  }
}

/** Not the 'close' event: Node leaves it out when it was this side that closed the channel. */
async function endOf(guard: ChildProcess, outputRead: readonly Promise<void>[]): Promise<number | null> {
  const [code] = (await once(guard, 'exit')) as [number | null]
  await Promise.all(outputRead)
  return code
}

/** Resolves at the end of the stream. */
async function eachLine(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream !== null) await once(createInterface({ input: stream }).on('line', onLine), 'close')
}

function killGroup(guard: ChildProcess): void {
  if (guard.pid === undefined) return
  try {
    if (process.platform === 'win32') guard.kill('SIGKILL')
    else process.kill(-guard.pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group is gone already, which is what was wanted.
  }
}
