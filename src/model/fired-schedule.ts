import type { Trigger } from './trigger.ts'

/**
 * A backend's schedule that fires: what it was made from, and the place of it that has come. It is a clock and no more. What
 * occurs, when, and what the next time is stands in the trigger's row, so that however often one fires, or none does, the
 * row has each of its times occur once.
 */
export interface FiredSchedule {
  readonly triggerId: string
  readonly incarnation: string
  readonly revision: number
  readonly scheduledAtMs: number
}

export type FiredDecision =
  | { readonly type: 'occurs'; readonly trigger: Trigger }
  /** By the registry's clock its time is still to come. */
  | { readonly type: 'early'; readonly inMs: number }
  /** It has occurred, or is no time of the trigger's. */
  | { readonly type: 'not_due' }
  /** It was made from another trigger than there is: one that was changed, paused, removed, or put back from a copy. */
  | { readonly type: 'stale' }

export const FIRED = {
  /** What two clocks may differ by: so long is waited for the registry's. */
  earlyMs: 5_000,
  /** When a time has passed for so long, the workers do not wait for the backend any more. */
  lateMs: 10_000,
} as const

export function decideFired(trigger: Trigger | undefined, fired: FiredSchedule, now: number): FiredDecision {
  const isSame =
    trigger?.source.type === 'schedule' &&
    trigger.incarnation === fired.incarnation &&
    trigger.revision === fired.revision &&
    !trigger.isPaused
  if (!isSame) return { type: 'stale' }
  const { nextAtMs } = trigger
  if (nextAtMs === undefined || fired.scheduledAtMs < nextAtMs) return { type: 'not_due' }
  return nextAtMs > now ? { type: 'early', inMs: nextAtMs - now } : { type: 'occurs', trigger }
}
