import type { ProcessId } from '../model/ids.ts'
import type { ProcessChange } from './store.ts'

/** No process's own id: none may contain "#". */
const STREAM = '#stream:'

/** What whoever follows a channel of this process listens to: its entries are no change of the process. */
export const streamOf = (id: string): ProcessId => `${STREAM}${id}` as ProcessId

/** `change`: what the feed saw, where it is the feed that tells. A listener may find in it that it need not look. */
export type ChangeListener = (change?: ProcessChange) => void

/**
 * Tells waiters that a process may have changed. Whoever waits subscribes first and reads after, so a change between the
 * two is never missed.
 */
export class ChangeHub {
  readonly #listeners = new Map<string, Set<ChangeListener>>()
  readonly #anyListeners = new Set<AnyListener>()
  readonly #onDemand: (demand: Demand) => void
  #demand: Demand = 'none'

  /** `onDemand` is told how soon somebody wants to hear of changes that other OS processes make. */
  constructor(onDemand: (demand: Demand) => void = () => {}) {
    this.#onDemand = onDemand
  }

  /** Calls the listener at each change of the process. Returns how to stop. */
  subscribe(id: string, listener: ChangeListener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(listener))
    this.#updateDemand()
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id)
      this.#updateDemand()
    }
  }

  /** Calls the listener at each change of any process; for background work, which may hear of it later. */
  subscribeAny(listener: AnyListener): () => void {
    this.#anyListeners.add(listener)
    this.#updateDemand()
    return () => {
      this.#anyListeners.delete(listener)
      this.#updateDemand()
    }
  }

  notify(id: string, change?: ProcessChange): void {
    for (const listener of this.#listeners.get(id) ?? []) listener(change)
    if (id.startsWith(STREAM)) return
    for (const listener of this.#anyListeners) listener(id, change)
  }

  /** Whoever follows a channel reads again: the feed shows no entries. */
  notifyStreams(): void {
    for (const key of this.#listeners.keys()) if (key.startsWith(STREAM)) this.notify(key)
  }

  /** Everybody reads again: used where changes may have been missed. */
  notifyAll(): void {
    for (const id of this.#listeners.keys()) this.notify(id)
    this.notifyBackground()
  }

  /** Background work looks: something of no process in particular may be due. */
  notifyBackground(): void {
    for (const listener of this.#anyListeners) listener()
  }

  /** Processes that somebody listens to. */
  get size(): number {
    return this.#listeners.size
  }

  #updateDemand(): void {
    const demand = this.#listeners.size > 0 ? 'waiter' : this.#anyListeners.size > 0 ? 'background' : 'none'
    if (demand === this.#demand) return
    this.#demand = demand
    this.#onDemand(demand)
  }
}

/** Without an id anything may have changed. */
export type AnyListener = (id?: string, change?: ProcessChange) => void

export type Demand = 'none' | 'background' | 'waiter'
