import type { Trigger } from './trigger.ts'

/** What a backend has of a trigger. */
export interface FoundSchedule {
  readonly triggerId: string
  /** Says all that it was made from. */
  readonly note: string
  readonly isPaused: boolean
}

export interface SchedulePlan {
  /** Missing, or made from what the trigger is no longer. */
  readonly put: readonly Trigger[]
  /** Of no trigger, or of one that is none of the backend's. */
  readonly remove: readonly string[]
}

/** What makes a backend's schedules those of the registry. `noteOf`: what the note of the trigger's would say. */
export function planSchedules(
  triggers: readonly Trigger[],
  found: ReadonlyMap<string, FoundSchedule>,
  noteOf: (trigger: Trigger) => string,
): SchedulePlan {
  const wanted = new Set(triggers.map(({ triggerId }) => triggerId))
  return {
    put: triggers.filter(trigger => {
      const there = found.get(trigger.triggerId)
      return there?.note !== noteOf(trigger) || there.isPaused !== trigger.isPaused
    }),
    remove: [...found.keys()].filter(triggerId => !wanted.has(triggerId)),
  }
}
