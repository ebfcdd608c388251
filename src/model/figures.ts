import { OUTBOX } from './outbox.ts'

/** Processes that have not ended, each in one of them. */
export interface LiveCounts {
  /** They run, or will as soon as a worker has room. */
  readonly active: number
  readonly waiting: number
  readonly queued: number
  readonly silent: number
}

/** What an operator watches of a whole registry. */
export interface RegistryFigures {
  readonly live: LiveCounts
  /** How long the oldest of the wakes that their sessions have not taken could have been handed over. 0: there are none. */
  readonly oldestWakeMs: number
}

/** A wake expires so long after it could first be tried. */
export const wakeAgeMs = (expiresAtMs: number | undefined, now: number): number =>
  expiresAtMs === undefined ? 0 : Math.max(0, now - (expiresAtMs - OUTBOX.expiryMs))
