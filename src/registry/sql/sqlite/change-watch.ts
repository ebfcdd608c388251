import type { ProcessChange, StoreListener } from '../../store.ts'
import type { SqliteConnection } from './connection.ts'

interface Watcher {
  readonly listener: StoreListener
  readonly everyMs: number
}

/**
 * Tells listeners that something was committed. This store's own commits are announced as they happen, with what they
 * have changed; that others have committed is found by a look at the file's data version, one for all listeners and none
 * while there are none.
 */
export class ChangeWatch {
  readonly #connection: SqliteConnection
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #version: unknown

  /**
   * The store's writer: the version that a connection reads moves with the commits of all connections but itself. It
   * must not be in a transaction at a look, where SQLite hides what others commit; none lasts longer than a turn.
   */
  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  watch(listener: StoreListener, everyMs: number): () => void {
    const watcher = { listener, everyMs }
    if (this.#watchers.size === 0) this.#version = this.#readVersion()
    this.#watchers.add(watcher)
    this.#resetTimer()
    return () => {
      if (this.#watchers.delete(watcher)) this.#resetTimer()
    }
  }

  /** To be called right after a commit of this store. */
  announce(changes: readonly ProcessChange[]): void {
    this.#notify(changes)
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

  #notify(changes?: readonly ProcessChange[]): void {
    const ids = changes?.map(({ id }) => id)
    for (const watcher of this.#watchers) {
      // In a turn of its own, so that a throwing listener harms neither the committer nor the other listeners.
      queueMicrotask(() => this.#watchers.has(watcher) && watcher.listener(ids, changes))
    }
  }
}
