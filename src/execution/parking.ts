import { earliestDeadline, type WaitState } from '../model/wait.ts'

export interface ParkingOptions {
  readonly graceMs: number
  /** Ends the attempt until one of the waits is over. `false`: it goes on, because one is over already. */
  readonly park: (waits: readonly WaitState[]) => Promise<boolean>
}

/**
 * Decides when an attempt that only waits is ended: a wait is pending, nothing is in flight, and no call came for the
 * grace. Calls that arrive while the park is being written wait for its answer, so none begins without a lease.
 */
export class Parking {
  readonly #options: ParkingOptions | undefined
  readonly #waits = new Map<string, WaitState>()
  #inFlight = 0
  #timer: NodeJS.Timeout | undefined
  #parking: Promise<boolean> | undefined

  /** Without options it never parks: an owner-bound process waits in memory. */
  constructor(options: ParkingOptions | undefined) {
    this.#options = options
  }

  /** Runs one context call; while it is in flight there is no park. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    if ((await this.#parking) === true) return new Promise(() => {})
    this.#inFlight++
    this.#rearm()
    try {
      return await call()
    } finally {
      this.#inFlight--
      this.#rearm()
    }
  }

  /** The wait itself: not in flight, for this is what a park may replace. */
  async duringWait(wait: WaitState, until: () => Promise<void>): Promise<void> {
    this.#waits.set(wait.key, wait)
    this.#inFlight--
    this.#rearm()
    try {
      await until()
      if ((await this.#parking) === true) await new Promise(() => {})
    } finally {
      this.#waits.delete(wait.key)
      this.#inFlight++
      this.#rearm()
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #rearm(): void {
    this.stop()
    if (this.#options === undefined || this.#waits.size === 0 || this.#inFlight > 0) return
    const { graceMs } = this.#options
    const untilMs = earliestDeadline([...this.#waits.values()])
    // A wait that ends within the grace is cheaper waited for than parked.
    if (untilMs !== undefined && untilMs - Date.now() <= graceMs) return
    this.#timer = setTimeout(() => this.#park(), graceMs)
  }

  #park(): void {
    if (this.#options === undefined) return
    this.#parking = this.#options.park([...this.#waits.values()]).finally(() => {
      this.#parking = undefined
    })
  }
}
