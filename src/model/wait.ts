/** What a parked process waits for. Waits are rows, so that whoever satisfies one finds the process. */
export interface WaitState {
  /** Unique within the process, for instance `process:<id>:timer:nap#1`. */
  readonly key: string
  readonly sinceMs: number
  readonly untilMs?: number
  readonly on: { readonly type: 'timer' }
}

export const isWaitDue = (wait: WaitState, now: number): boolean =>
  wait.untilMs !== undefined && wait.untilMs <= now

/** The earliest deadline; absent where every wait is open-ended. */
export function earliestDeadline(waits: readonly WaitState[]): number | undefined {
  const deadlines = waits.flatMap(wait => (wait.untilMs === undefined ? [] : [wait.untilMs]))
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}
