import type { ProcessId } from '../../../model/ids.ts'
import type { ProcessChange, StoreListener } from '../../store.ts'

/** What has changed, and what the feed would say of it, where that is known. */
export type Changed = ReadonlyMap<ProcessId, ProcessChange | undefined>

/** A notice that is lost costs this much, and no more. */
const POLL_MS = 1_000

/** The listeners of this OS process. What becomes known together is told together. */
export class ChangeWatch {
  readonly #watchers = new Set<{ readonly listener: StoreListener }>()
  #pending = new Map<ProcessId, ProcessChange | undefined>()

  watch(listener: StoreListener, everyMs: number): () => void {
    const watcher = { listener }
    this.#watchers.add(watcher)
    const poll = setInterval(() => this.#call(listener), Math.max(POLL_MS, everyMs)).unref()
    return () => {
      clearInterval(poll)
      this.#watchers.delete(watcher)
    }
  }

  tell(changed: Changed): void {
    if (this.#watchers.size === 0) return
    const isFirst = this.#pending.size === 0
    for (const [id, change] of changed) {
      // Of two commits either may be heard of first: which of them holds, a look says.
      this.#pending.set(id, this.#pending.has(id) ? undefined : change)
    }
    if (isFirst) setImmediate(() => this.#tellPending())
  }

  /** Something may have changed that nobody could name. */
  tellAll(): void {
    for (const { listener } of this.#watchers) this.#call(listener)
  }

  stop(): void {
    this.#watchers.clear()
  }

  #tellPending(): void {
    const known = [...this.#pending.values()].filter(change => change !== undefined)
    const unknown = [...this.#pending].flatMap(([id, change]) => (change === undefined ? [id] : []))
    this.#pending = new Map()
    for (const { listener } of this.#watchers) {
      if (known.length > 0)
        this.#call(
          listener,
          known.map(({ id }) => id),
          known,
        )
      if (unknown.length > 0) this.#call(listener, unknown)
    }
  }

  #call(listener: StoreListener, ...told: Parameters<StoreListener>): void {
    // In a turn of its own, so that a throwing listener harms neither the committer nor the other listeners.
    queueMicrotask(() => listener(...told))
  }
}
