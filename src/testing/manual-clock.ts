/** A clock that stands still until it is told otherwise. `now` can be handed to a store as its clock. */
export interface ManualClock {
  readonly now: () => number
  /** Only forwards: a store's clock never goes back. */
  advance(ms: number): void
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`A manual clock advances by 0 ms or more; found ${ms}.`)
      nowMs += ms
    },
  }
}
