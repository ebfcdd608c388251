import type { ChangeCursor } from '../model/ids.ts'
import type { ChangeHub, Demand } from './change-hub.ts'
import type { ProcessRegistry } from './registry.ts'
import type { ProcessChange, StoreListener } from './store.ts'

/**
 * How often the store looks for other OS processes' changes. On average a cancel waits for half of the waiter's figure; a
 * look costs SQLite some microseconds.
 */
const POLL_MS: Readonly<Record<Exclude<Demand, 'none'>, number>> = { waiter: 3, background: 50 }
/** How long after the last waiter has gone the feed still looks as often as for one. */
const LINGER_MS = 100
const PAGE = 1_000
/** A store that cannot be read now is read again after so long. */
const RETRY_MS = 1_000
/** More waiters than this are told of changes in longer intervals, up to so many times as long. */
const CROWD = 8
const MOST_TOGETHER = 8

/**
 * Follows the registry's changes, whoever makes them, and ticks the hub for each: one query for all waiters of this OS
 * process. It runs only while somebody listens.
 */
export class ChangeFeed {
  readonly #registry: ProcessRegistry
  readonly #hub: ChangeHub
  #demand: Demand = 'none'
  #lowering: NodeJS.Timeout | undefined
  #stopWatching: (() => void) | undefined
  #cursor: ChangeCursor | undefined
  #reading: Promise<void> | undefined
  #isStale = false
  /** Changes that the store itself has told of since the last read: it will find them once more. */
  #unread = 0
  #lastReadAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(registry: ProcessRegistry, hub: ChangeHub) {
    this.#registry = registry
    this.#hub = hub
  }

  /** More is given at once, less only after a while: waits that follow each other closely would pay for each change of it. */
  setDemand(demand: Demand): void {
    clearTimeout(this.#lowering)
    if (this.#demand !== 'waiter') this.#meet(demand)
    else if (demand !== 'waiter') this.#lowering = setTimeout(() => this.#meet(demand), LINGER_MS).unref()
  }

  #meet(demand: Demand): void {
    clearTimeout(this.#lowering)
    if (demand === this.#demand) return
    this.#demand = demand
    this.#stopWatching?.()
    this.#stopWatching = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (demand === 'none') {
      this.#cursor = undefined
      return
    }
    const everyMs = POLL_MS[demand]
    this.#stopWatching = this.#registry.watch((ids, changes) => this.#hear(everyMs, ids, changes), {
      everyMs,
    })
    this.#read()
  }

  /** Ends a read in flight, so that the registry can be closed behind it. */
  async stop(): Promise<void> {
    this.#meet('none')
    await this.#reading
  }

  /** A store that knows what has changed leads straight to it: the feed may be behind, and must not keep waiters waiting. */
  #hear(everyMs: number, ...[ids, changes]: Parameters<StoreListener>): void {
    if (changes !== undefined) for (const change of changes) this.#tell(change)
    else for (const id of ids ?? []) this.#hub.notify(id)
    this.#unread += ids?.length ?? 0
    // A page of what was told is read over, so that whoever reads on after what others did has not all of it before him.
    if (ids === undefined || this.#unread >= PAGE) this.#readSoon(everyMs)
  }

  /**
   * At once, but soon after the last time no more often than the store is looked at for others' changes; and where many
   * wait, so that there is much to hear of, what comes together is read together.
   */
  #readSoon(everyMs: number): void {
    const crowd = Math.min(Math.max(1, this.#hub.size / CROWD), MOST_TOGETHER)
    const waitMs = this.#lastReadAt + everyMs * crowd - performance.now()
    if (this.#timer === undefined && waitMs <= 0) this.#read()
    else this.#readIn(waitMs)
  }

  #readIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#read()
    }, ms)
  }

  #tell(change: ProcessChange): void {
    // Nobody waits for what has ended long ago.
    if (!change.isPruned) this.#hub.notify(change.id, change)
  }

  #read(): void {
    this.#isStale = true
    this.#unread = 0
    this.#lastReadAt = performance.now()
    this.#readOnce()
  }

  #readOnce(): void {
    this.#reading ??= this.#readPages().finally(() => {
      this.#reading = undefined
      // A call may have come after the last page and before this.
      if (this.#isStale && this.#stopWatching !== undefined) this.#readOnce()
    })
  }

  async #readPages(): Promise<void> {
    try {
      while (this.#isStale && this.#stopWatching !== undefined) {
        this.#isStale = false
        await this.#readPage()
      }
    } catch {
      // What was changed meanwhile may never be told of again, and not everybody who listens also looks for himself.
      this.#cursor = undefined
      if (this.#stopWatching !== undefined) this.#readIn(RETRY_MS)
    }
  }

  async #readPage(): Promise<void> {
    if (this.#cursor === undefined) {
      this.#cursor = await this.#registry.latestChange()
      // Waiters subscribed before the position was known: what changed in between is theirs to read.
      this.#hub.notifyAll()
      return
    }
    // Something was committed, and it may have been an entry of a stream.
    this.#hub.notifyStreams()
    const { changes, next } = await this.#registry.changesSince(this.#cursor, PAGE)
    this.#cursor = next
    for (const change of changes) this.#tell(change)
    if (changes.length === PAGE) this.#isStale = true
  }
}
