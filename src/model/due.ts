/**
 * When the sweep must look at a row again. One place for every number, because the sweep is what keeps Temporal
 * disposable: whatever the server loses, the row's due time brings back.
 */
export const DUE = {
  /** Whoever registered submits at once; the sweep steps in where that failed. */
  afterRegister: (now: number): number => now + 2_000,
  /** Submitted: doubling, so that a workflow that fails at once each time is not hammered. */
  afterSubmit: (now: number, submissions: number): number => now + doubling(30_000, submissions, 600_000),
  /** A holder that neither renews nor ends is looked at when its lease has lapsed. */
  afterLease: (expiresAtMs: number): number => expiresAtMs + 2_000,
  /**
   * Parked: exactly at the earliest deadline. The registry keeps the timers, with and without Temporal, so a park needs
   * no timer in the workflow's history.
   */
  afterPark: (untilMs: number | undefined): number | undefined => untilMs,
  /** The attempt ended by a transient error: doubling from 1 s to 10 min. */
  afterFailure: (now: number, failures: number): number => now + doubling(1_000, failures, 600_000),
  /**
   * The holder is proven dead: now, unless its attempt's backend token is still to be failed. That alone starts the
   * next attempt, and a submission beside it would only add to the workflow's history.
   */
  afterDeathProof: (now: number, hasBackendToken: boolean, failures: number): number =>
    now + deathBackOffMs(failures) + (hasBackendToken ? 2_000 : 0),
} as const

/**
 * How long the work of a dead holder waits for its next attempt: not at all, but for a process that takes down one
 * worker after the other. `failures`: how often it has failed at once before.
 */
export const deathBackOffMs = (failures: number): number =>
  failures === 0 ? 0 : doubling(1_000, failures - 1, 600_000)

/** The first delay, doubled for each one before, up to the most. */
export function doubling(firstMs: number, before: number, mostMs: number): number {
  // 2 ** 40 ms is beyond every bound here; the exponent is kept small so that the number stays exact.
  return Math.min(mostMs, firstMs * 2 ** Math.min(before, 40))
}
