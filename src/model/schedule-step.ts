/** What a schedule that is due comes to. */
export interface ScheduleStep {
  /** The one time that stands for all that have passed. Absent: those are too long ago. */
  readonly occursAtMs?: number
  /** Absent: it has no more. */
  readonly nextAtMs?: number
}

export interface DueSchedule {
  /** The first of its times that has not occurred. */
  readonly dueAtMs: number
  /** How long after a time it may still occur. Default: however long. */
  readonly catchUpMs?: number
}

/**
 * However many times were missed, and for whatever reason, the first that is within the catch-up window occurs, and none of
 * the others. `nextAfter`: the schedule's next time after this one.
 */
export function decideStep(
  { dueAtMs, catchUpMs = Number.POSITIVE_INFINITY }: DueSchedule,
  now: number,
  nextAfter: (ms: number) => number | undefined,
): ScheduleStep {
  const nextAtMs = nextAfter(Math.max(now, dueAtMs))
  const next = nextAtMs === undefined ? {} : { nextAtMs }
  const oldest = now - catchUpMs
  const occursAtMs = dueAtMs >= oldest ? dueAtMs : nextAfter(oldest - 1)
  return occursAtMs === undefined || occursAtMs > now ? next : { occursAtMs, ...next }
}
