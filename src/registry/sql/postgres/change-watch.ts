import type { ProcessId } from '../../../model/ids.ts'

export type ChangeListener = (ids?: readonly ProcessId[]) => void

/** A notice that is lost costs this much, and no more. */
const POLL_MS = 1_000

/** The listeners of this OS process. Ids that become known together are told together. */
export class ChangeWatch {
  readonly #watchers = new Set<{ readonly listener: ChangeListener }>()
  #pending = new Set<ProcessId>()

  watch(listener: ChangeListener, everyMs: number): () => void {
    const watcher = { listener }
    this.#watchers.add(watcher)
    const poll = setInterval(() => this.#call(listener), Math.max(POLL_MS, everyMs)).unref()
    return () => {
      clearInterval(poll)
      this.#watchers.delete(watcher)
    }
  }

  tell(ids: Iterable<ProcessId>): void {
    if (this.#watchers.size === 0) return
    const isFirst = this.#pending.size === 0
    for (const id of ids) this.#pending.add(id)
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
    const ids = [...this.#pending]
    this.#pending = new Set()
    if (ids.length > 0) for (const { listener } of this.#watchers) this.#call(listener, ids)
  }

  #call(listener: ChangeListener, ids?: readonly ProcessId[]): void {
    // In a turn of its own, so that a throwing listener harms neither the committer nor the other listeners.
    queueMicrotask(() => listener(ids))
  }
}
