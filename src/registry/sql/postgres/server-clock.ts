/** How far behind the server's clock a guess may be. */
export const MOST_BEHIND_MS = 100

/**
 * The server's time as far as this OS process can tell without asking: what the server said last, and what has passed
 * since by the monotonic clock. An answer has been under way, so a guess is never ahead of it; of several answers the one
 * that came the fastest counts. No clock that somebody sets here has a part in it.
 */
export class ServerClock {
  #offset: number | undefined

  /** In milliseconds. Absent: nothing is known. */
  guess(): number | undefined {
    return this.#offset === undefined ? undefined : Math.floor(performance.now() + this.#offset)
  }

  /** The server said it just now. */
  heard(nowMs: number): void {
    const offset = nowMs - performance.now()
    this.#offset = Math.max(offset, this.#offset ?? offset)
  }

  /** A guess was ahead, or too far behind: one of the clocks was set, or the machine slept. */
  wasWrong(): void {
    this.#offset = undefined
  }
}
