import type { StoredProcess } from './process.ts'

/** What is left to those whose turn it is first, before the sweep steps in. */
export const SLACK_MS = 2_000

/**
 * When the sweep must look at a row again. One place for every number, because the sweep is what keeps Temporal
 * disposable: whatever the server loses, the row's due time brings back.
 */
export const DUE = {
  /** Whoever registered submits at once; the sweep steps in where that failed. */
  afterRegister: (now: number): number => now + SLACK_MS,
  /** Submitted: doubling, so that a workflow that fails at once each time is not hammered. */
  afterSubmit: (now: number, submissions: number): number => now + doubling(30_000, submissions, 600_000),
  /** A holder that neither renews nor ends is looked at when its lease has lapsed. */
  afterLease: (expiresAtMs: number): number => expiresAtMs + SLACK_MS,
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
  /** A blob of the row's own is missing or was changed: it holds up no other, and is looked at again. */
  afterUnreadable: (now: number): number => now + 600_000,
} as const

/**
 * How long the work of a dead holder waits for its next attempt: not at all, but for a process that takes down one
 * worker after the other. `failures`: how often it has failed at once before.
 */
export const deathBackOffMs = (failures: number): number =>
  failures === 0 ? 0 : doubling(1_000, failures - 1, 600_000)

/**
 * Does the row need somebody now, or would it but for the slack? For a drive by hand, which waits for nobody's turn. What
 * waits for its time (parked, or backing off) is not due before it.
 */
export function isPending({ record, dueAtMs, failures, submissions }: StoredProcess, now: number): boolean {
  if (dueAtMs === undefined) return false
  if (dueAtMs <= now) return true
  const isWaiting = record.waits.length > 0 || failures > 0 || submissions > 0
  return !isWaiting && dueAtMs - SLACK_MS <= now
}

/** The first delay, doubled for each one before, up to the most. */
export function doubling(firstMs: number, before: number, mostMs: number): number {
  // 2 ** 40 ms is beyond every bound here; the exponent is kept small so that the number stays exact.
  return Math.min(mostMs, firstMs * 2 ** Math.min(before, 40))
}
