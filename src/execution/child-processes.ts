import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'

const current = new AsyncLocalStorage<ChildProcesses>()

// Node tells of every child process as it is made, in the asynchronous context of whoever makes it.
subscribe('child_process', message => {
  const { process: child } = message as { process: ChildProcess }
  current.getStore()?.add(child)
})

/** The OS processes that some code starts, however deep in its libraries, and what those start in turn. */
export class ChildProcesses {
  readonly #children = new Set<ChildProcess>()

  /** Runs the code; what it and its continuations start belongs here. */
  during<T>(code: () => T): T {
    return current.run(this, code)
  }

  add(child: ChildProcess): void {
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
  }

  /** SIGKILL to those that still run and to their descendants, the deepest first. Returns how many were hit. */
  kill(): number {
    const roots = [...this.#children].flatMap(({ pid, exitCode }) =>
      pid === undefined || exitCode !== null ? [] : [pid],
    )
    return roots.flatMap(pid => [...descendantsOf(pid), pid]).filter(killNow).length
  }
}

function killNow(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself just now.
    return false
  }
}

/** By /proc; none where there is no such thing. A shell's child would otherwise outlive the shell. */
function descendantsOf(pid: number): number[] {
  const parents = parentsByPid()
  const found = new Set([pid])
  // A child may stand before its parent in the list: look until nothing new turns up.
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child)
  }
  found.delete(pid)
  return [...found].toReversed()
}

function parentsByPid(): Map<number, number> {
  const parents = new Map<number, number>()
  for (const name of namesIn('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined
    if (parent !== undefined) parents.set(pid, parent)
  }
  return parents
}

/** Field 4 of proc(5)'s stat; the name before it may hold anything. */
function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
