import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { setTimeout as pause } from 'node:timers/promises'
import { belongingTo, isRunning, type Running } from './os-processes.ts'

const current = new AsyncLocalStorage<ChildProcesses | undefined>()

/** What the code starts belongs to nobody around it. */
export const outsideChildProcesses = <T>(code: () => T): T => current.run(undefined, code)

// Node tells of every child process as it is made, in the asynchronous context of whoever makes it.
subscribe('child_process', message => {
  const { process: child } = message as { process: ChildProcess }
  current.getStore()?.add(child)
})

/** The OS processes that some code starts, however deep in its libraries, and what those start in turn. */
export class ChildProcesses {
  readonly #children = new Set<ChildProcess>()
  /** Those of the code around: what belongs here belongs there as well. */
  #around: ChildProcesses | undefined

  /** Runs the code; what it and its continuations start belongs here. */
  during<T>(code: () => T): T {
    this.#around = current.getStore()
    return current.run(this, code)
  }

  add(child: ChildProcess): void {
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    this.#around?.add(child)
  }

  /** SIGKILL to those that still run and to their descendants, the deepest first. Returns how many were hit. */
  kill(): number {
    return this.#running().filter(({ pid }) => send(pid, 'SIGKILL')).length
  }

  /**
   * SIGTERM to the same, and SIGKILL to those that are left after the grace. All of them are looked for before the first
   * is told: whatever a shell has started is nobody's child once the shell is gone.
   */
  async end(): Promise<void> {
    const running = this.#running()
    for (const { pid } of running) send(pid, 'SIGTERM')
    const deadline = performance.now() + END_GRACE_MS
    while (running.some(isRunning) && performance.now() < deadline) await pause(LOOK_MS)
    for (const one of running) if (isRunning(one)) send(one.pid, 'SIGKILL')
  }

  #running(): readonly Running[] {
    const roots = [...this.#children].flatMap(({ pid, exitCode }) =>
      pid === undefined || exitCode !== null ? [] : [pid],
    )
    return belongingTo(roots)
  }
}

/**
 * Runs the code; when the signal fires, the OS processes that it has started are told to end, and killed after the
 * grace. The code's promise does not wait for that.
 */
export async function endingChildren<T>(signal: AbortSignal, code: () => Promise<T>): Promise<T> {
  const children = new ChildProcesses()
  const onAbort = () => void children.end()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await children.during(code)
  } finally {
    if (!signal.aborted) signal.removeEventListener('abort', onAbort)
  }
}

/** Between SIGTERM and SIGKILL. */
const END_GRACE_MS = 2_000

/** How often somebody looks whether what was told to end has ended. */
const LOOK_MS = 25

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    // It ended by itself just now.
    return false
  }
}
