import { asJson, jsonEquals } from './json.ts'

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

/** The waits with this one added, or in the place of the one of its key. `undefined`: it stands there already. */
export function withWait(waits: readonly WaitState[], wait: WaitState): readonly WaitState[] | undefined {
  const place = waits.findIndex(({ key }) => key === wait.key)
  const current = waits[place]
  if (current === undefined) return [...waits, wait]
  return jsonEquals(asJson(current), asJson(wait)) ? undefined : waits.with(place, wait)
}

/** The waits without the one of the key, or without any. `undefined`: there is none to take away. */
export function withoutWait(
  waits: readonly WaitState[],
  key: string | undefined,
): readonly WaitState[] | undefined {
  const left = key === undefined ? [] : waits.filter(wait => wait.key !== key)
  return left.length === waits.length ? undefined : left
}
