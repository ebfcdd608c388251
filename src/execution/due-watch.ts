import { isTerminal } from '../model/outcome.ts'
import type { WatchedRegistry } from '../registry/watch.ts'

/** However little happens: a notice that was lost costs so much, and no more. */
export const REGULAR_PASS_MS = 1_000

export interface DueWatchOptions {
  /** Makes one pass over the rows that are due; says how many milliseconds from now the next one is wanted. Never throws. */
  readonly pass: () => Promise<number>
  /** Whether a change of this row may mean work for the next pass. Default: every one. */
  readonly isOfInterest?: (id: string) => boolean
}

/**
 * Makes its passes when they are wanted: at once when a change has made something due, at the next due time, and every
 * second in any case. One pass at a time.
 */
export class DueWatch {
  readonly #registry: WatchedRegistry
  readonly #options: DueWatchOptions
  #timer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #passing: Promise<void> | undefined
  #isLooking = false
  #isStopped = true

  constructor(registry: WatchedRegistry, options: DueWatchOptions) {
    this.#registry = registry
    this.#options = options
  }

  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    const { isOfInterest = () => true } = this.#options
    this.#unsubscribe = this.#registry.hub.subscribeAny((id, change) => {
      // An end makes nothing due but the rows of those who wait for it, and their changes are told as well.
      if (change !== undefined && isTerminal(change.status)) return
      if (id === undefined || isOfInterest(id)) this.#lookSoon()
    })
    this.#schedule(0)
  }

  /** Ends the pass in flight. May be called twice, or first. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearTimeout(this.#timer)
    await this.#passing
  }

  get isRunning(): boolean {
    return !this.#isStopped
  }

  /** A pass is wanted now. */
  wake(): void {
    this.#schedule(0)
  }

  /** A change: is something due now? Many changes in a row are one look. */
  #lookSoon(): void {
    if (this.#isLooking || this.#isStopped) return
    this.#isLooking = true
    setImmediate(async () => {
      this.#isLooking = false
      const ms = await this.#registry.msUntilDue().catch(() => undefined)
      if (ms !== undefined && ms < REGULAR_PASS_MS) this.#schedule(ms)
    })
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#passing ??= this.#pass().finally(() => {
        this.#passing = undefined
      })
    }, ms)
  }

  async #pass(): Promise<void> {
    const nextMs = await this.#options.pass()
    this.#schedule(Math.min(REGULAR_PASS_MS, nextMs))
  }
}
