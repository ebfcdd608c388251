import { earliestDeadline, type WaitState } from '../model/wait.ts'
import type { WorkingSlot } from './working-slots.ts'

export interface ParkingOptions {
  readonly graceMs: number
  /** The clock that deadlines are told by. */
  readonly now: () => number
  /** Ends the attempt until one of the waits is over. `false`: it goes on, because one is over already. */
  readonly park: (waits: readonly WaitState[]) => Promise<boolean>
}

/**
 * Decides what becomes of an attempt that only waits: a wait is pending and nothing is in flight. It gives its working
 * slot up at once, and when no call came for the grace it is ended. Calls that arrive while the park is being written
 * wait for its answer, so none begins without a lease.
 */
export class Parking {
  readonly #slot: Pick<WorkingSlot, 'rest' | 'resume'>
  readonly #options: ParkingOptions | undefined
  readonly #waits = new Map<string, WaitState>()
  #inFlight = 0
  #timer: NodeJS.Timeout | undefined
  #parking: Promise<boolean> | undefined

  /** Without options it never parks: an owner-bound process waits in memory. */
  constructor(slot: Pick<WorkingSlot, 'rest' | 'resume'>, options: ParkingOptions | undefined) {
    this.#slot = slot
    this.#options = options
  }

  /** Runs one context call; while it is in flight there is no park. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    if ((await this.#parking) === true) return new Promise(() => {})
    this.#inFlight++
    this.#rearm()
    try {
      await this.#slot.resume()
      return await call()
    } finally {
      this.#inFlight--
      this.#rearm()
    }
  }

  /** The wait itself: not in flight, for this is what a park may replace. */
  async duringWait<T>(wait: WaitState, until: () => Promise<T>): Promise<T> {
    this.#waits.set(wait.key, wait)
    this.#inFlight--
    this.#rearm()
    try {
      const answer = await until()
      if ((await this.#parking) === true) return await new Promise(() => {})
      return answer
    } finally {
      this.#waits.delete(wait.key)
      this.#inFlight++
      this.#rearm()
      await this.#slot.resume()
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #rearm(): void {
    this.stop()
    if (this.#waits.size === 0 || this.#inFlight > 0) return
    this.#slot.rest()
    if (this.#options === undefined) return
    const { graceMs, now } = this.#options
    const untilMs = earliestDeadline([...this.#waits.values()])
    // A wait that ends within the grace is cheaper waited for than parked.
    if (untilMs !== undefined && untilMs - now() <= graceMs) return
    this.#timer = setTimeout(() => this.#park(), graceMs)
  }

  #park(): void {
    if (this.#options === undefined) return
    this.#parking = this.#options.park([...this.#waits.values()]).finally(() => {
      this.#parking = undefined
    })
  }
}
