import type { SqliteConnection } from './connection.ts'

interface Watcher {
  readonly listener: () => void
  readonly everyMs: number
}

/**
 * Tells listeners that something was committed. This store's own commits are announced as they happen; those of other
 * OS processes are found by a look at the file's data version, one for all listeners and none while there are none.
 */
export class ChangeWatch {
  readonly #connection: SqliteConnection
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #version: unknown

  /** The connection must never be in a transaction: in one, SQLite hides what others commit. */
  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  watch(listener: () => void, everyMs: number): () => void {
    const watcher = { listener, everyMs }
    if (this.#watchers.size === 0) this.#version = this.#readVersion()
    this.#watchers.add(watcher)
    this.#resetTimer()
    return () => {
      if (this.#watchers.delete(watcher)) this.#resetTimer()
    }
  }

  /** To be called right after a commit of this store. */
  announce(): void {
    // The version is left as it was: the poller tells of this commit once more, and asking after each would cost more.
    this.#notify()
  }

  stop(): void {
    this.#watchers.clear()
    this.#resetTimer()
  }

  #resetTimer(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#watchers.size === 0) return
    const everyMs = Math.min(...[...this.#watchers].map(watcher => watcher.everyMs))
    this.#timer = setInterval(() => this.#poll(), everyMs).unref()
  }

  #poll(): void {
    const version = this.#readVersion()
    if (version === this.#version) return
    this.#version = version
    this.#notify()
  }

  /** Microseconds. Anything unusual counts as a change: a listener that looks for itself meets the error where it can act. */
  #readVersion(): unknown {
    try {
      return this.#connection.value('pragma data_version')
    } catch {
      return undefined
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers) {
      // In a turn of its own, so that a throwing listener harms neither the committer nor the other listeners.
      queueMicrotask(() => this.#watchers.has(watcher) && watcher.listener())
    }
  }
}
