import { isTerminal } from '../model/outcome.ts'
import type { ProcessChange } from '../registry/store.ts'
import type { WatchedRegistry } from '../registry/watch.ts'

/** More than the clocks of a store and its workers differ: what is due later than this is not due now by any of them. */
const LATER_MS = 10_000

/** However little happens: a notice that was lost costs so much, and no more. */
export const REGULAR_PASS_MS = 1_000

export interface DueWatchOptions {
  /** Makes one pass over the rows that are due; says how many milliseconds from now the next one is wanted. Never throws. */
  readonly pass: () => Promise<number>
  /** Whether a change of this row may mean work for the next pass. Default: every one. */
  readonly isOfInterest?: (id: string) => boolean
  /** Whether those changes may, too, that make no process due. Default false. */
  readonly isAnyOfInterest?: boolean
  /** Milliseconds until something is due for the pass; absent: nothing is. Default: of the processes. */
  readonly msUntilDue?: () => Promise<number | undefined>
  /** After a look for what is due that a change gave rise to, the next such look waits so long. Default 0. */
  readonly looksApartMs?: number
}

type Watched = Pick<WatchedRegistry, 'hub' | 'msUntilDue'>

/**
 * Makes its passes when they are wanted: at once when a change has made something due, at the next due time, and every
 * second in any case. One pass at a time.
 */
export class DueWatch {
  readonly #registry: Watched
  readonly #options: DueWatchOptions
  #cancelNext = () => {}
  #unsubscribe: (() => void) | undefined
  #passing: Promise<void> | undefined
  /** Wanted while one was being made, which may have looked before. */
  #isPassWanted = false
  /** The rows whose changes the next look is about, and whether one of these said that the row is due. */
  readonly #changed = new Map<string, boolean>()
  #isLooking = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #lookTimer: NodeJS.Timeout | undefined
  #isStopped = true

  constructor(registry: Watched, options: DueWatchOptions) {
    this.#registry = registry
    this.#options = options
  }

  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    const { isAnyOfInterest = false } = this.#options
    this.#unsubscribe = this.#registry.hub.subscribeAny((id, change) => {
      if (!isAnyOfInterest && change !== undefined && !mayBeDueSoon(change)) return
      this.#changed.set(id ?? ANY, this.#changed.get(id ?? ANY) || isDueNow(change))
      this.#lookSoon()
    })
    this.#schedule(0)
  }

  /** Ends the pass in flight. May be called twice, or first. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#cancelNext()
    clearTimeout(this.#lookTimer)
    this.#isLooking = false
    this.#changed.clear()
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
    const { looksApartMs = 0 } = this.#options
    const wait = this.#lookedAt + looksApartMs - performance.now()
    if (wait > 0) this.#lookTimer = setTimeout(() => void this.#look(), wait)
    else setImmediate(() => void this.#look())
  }

  async #look(): Promise<void> {
    this.#isLooking = false
    const { isOfInterest = () => true, msUntilDue } = this.#options
    // Not before: who is told of a change at once, and of it here as well, may have taken it up meanwhile.
    const changes = [...this.#changed].filter(([id]) => id === ANY || isOfInterest(id))
    this.#changed.clear()
    if (changes.length === 0) return
    this.#lookedAt = performance.now()
    // Unless it is something else than processes that comes due, there is no need to ask.
    if (msUntilDue === undefined && changes.some(([, isDue]) => isDue)) return this.#schedule(0)
    const ms = await (msUntilDue?.() ?? this.#registry.msUntilDue()).catch(() => undefined)
    if (ms !== undefined && ms < REGULAR_PASS_MS) this.#schedule(ms)
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return
    this.#cancelNext()
    if (ms > 0) {
      const timer = setTimeout(() => this.#passNow(), ms)
      this.#cancelNext = () => clearTimeout(timer)
    } else {
      // The shortest of times is a millisecond.
      const immediate = setImmediate(() => this.#passNow())
      this.#cancelNext = () => clearImmediate(immediate)
    }
  }

  #passNow(): void {
    this.#isPassWanted = this.#passing !== undefined
    this.#passing ??= this.#pass().finally(() => {
      this.#passing = undefined
    })
  }

  async #pass(): Promise<void> {
    const nextMs = await this.#options.pass()
    // A pass that leaves something due makes the next one a moment later, and not at once: it is not to be alone.
    this.#schedule(this.#isPassWanted ? 0 : Math.min(REGULAR_PASS_MS, Math.max(1, nextMs)))
    this.#isPassWanted = false
  }
}

/** No process has a blank id. */
const ANY = ''

const isDueNow = (change: ProcessChange | undefined): boolean =>
  typeof change?.dueAtMs === 'number' && change.dueAtMs <= Date.now()

function mayBeDueSoon({ status, dueAtMs }: ProcessChange): boolean {
  // What is not known may be. But an end makes nothing due except those who wait for it, and their changes are told as well.
  if (dueAtMs === undefined) return !isTerminal(status)
  return dueAtMs !== null && dueAtMs - Date.now() < LATER_MS
}
