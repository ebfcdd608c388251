import type { ProcessEvent } from './event.ts'
import { asJson, jsonEquals } from './json.ts'
import { signalNameOf } from './signal.ts'

/** What a parked process waits for. Waits are rows, so that whoever satisfies one finds the process. */
export interface WaitState {
  /** Unique within the process, for instance `process:<id>:timer:nap#1`. */
  readonly key: string
  readonly sinceMs: number
  readonly untilMs?: number
  readonly on: WaitCondition
  /** Written by the write that satisfied it, in its own transaction. */
  readonly satisfiedAtMs?: number
}

export type WaitCondition =
  /** The deadline alone. */
  | { readonly type: 'timer' }
  /** A signal of this name that the process itself has not consumed. */
  | { readonly type: 'signal'; readonly name: string }
  /** The end of a process. */
  | { readonly type: 'process'; readonly processId: string }
  /** An event of a process, of this type and with a sequence above `after`. */
  | {
      readonly type: 'event'
      readonly processId: string
      readonly eventType: string
      readonly after: number
    }
  /** Somebody who says what became of a step. */
  | { readonly type: 'unknown_step'; readonly step: string }
  /** The answer to a call that was left pending under this key. */
  | { readonly type: 'external_key'; readonly key: string }

export const isWaitDue = ({ satisfiedAtMs, untilMs }: WaitState, now: number): boolean =>
  satisfiedAtMs !== undefined || (untilMs !== undefined && untilMs <= now)

/** Did it come before the wait's time was over? What comes later is for a later wait, however late this one is looked at. */
export const isInTime = (event: Pick<ProcessEvent, 'occurredAtMs'>, untilMs: number | undefined): boolean =>
  untilMs === undefined || event.occurredAtMs <= untilMs

/** The key of a sleep that the code made at this address of its journal. */
export const timerKey = (processId: string, epoch: number, address: string): string =>
  `process:${processId}:timer:${epoch}:${address}`

/** The key of a wait for another process that the code made at this address of its journal. */
export const waitKey = (processId: string, epoch: number, address: string): string =>
  `process:${processId}:wait:${epoch}:${address}`

/** Another process that the wait depends on. */
export const awaitedProcess = ({ on }: WaitState): string | undefined =>
  on.type === 'process' || on.type === 'event' ? on.processId : undefined

/**
 * What the wait is found by; absent where only its own row can satisfy it, or where it is satisfied already. `#` cannot
 * stand in a process id, so no two keys are the same by accident.
 */
export function awaitedKey({ on, satisfiedAtMs }: WaitState): string | undefined {
  if (satisfiedAtMs !== undefined) return undefined
  switch (on.type) {
    case 'process':
      return endKey(on.processId)
    case 'event':
      return eventKey(on.processId, on.eventType)
    case 'external_key':
      return callKey(on.key)
    default:
      return undefined
  }
}

/** The keys of the waits that this event may satisfy. */
export function awaitedKeysOf({ processId, eventType, semantics }: ProcessEvent): readonly string[] {
  const key = eventKey(processId, eventType)
  return semantics?.terminal === undefined ? [key] : [key, endKey(processId)]
}

/** The keys of the waits that some event of this type may satisfy, whether it is the last of its process or not. */
export const awaitedKeysOfType = (processId: string, eventType: string): readonly string[] => [
  eventKey(processId, eventType),
  endKey(processId),
]

/** What waits for the answer to a pending call are found by. */
export const callKey = (key: string): string => `external_key#${key}`

const endKey = (processId: string): string => `process#${processId}`
const eventKey = (processId: string, eventType: string): string => `event#${processId}#${eventType}`

/** Does the event satisfy a wait of this process? */
function isSatisfiedBy(on: WaitCondition, processId: string, event: ProcessEvent): boolean {
  switch (on.type) {
    case 'signal':
      return event.processId === processId && signalNameOf(event.eventType) === on.name
    case 'process':
      return event.processId === on.processId && event.semantics?.terminal !== undefined
    case 'event':
      return event.processId === on.processId && event.eventType === on.eventType && event.sequence > on.after
    default:
      return false
  }
}

/** The process's waits with those marked that the event satisfies; the same array where it satisfies none. */
export function satisfyWaits(
  waits: readonly WaitState[],
  processId: string,
  event: ProcessEvent,
): readonly WaitState[] {
  const isMet = (wait: WaitState): boolean =>
    wait.satisfiedAtMs === undefined && isSatisfiedBy(wait.on, processId, event)
  if (!waits.some(isMet)) return waits
  return waits.map(wait => (isMet(wait) ? { ...wait, satisfiedAtMs: event.occurredAtMs } : wait))
}

/** The waits with those marked that are for a word on this step; the same array where there are none. */
export function satisfyStepWaits(
  waits: readonly WaitState[],
  step: string,
  now: number,
): readonly WaitState[] {
  const isMet = ({ on, satisfiedAtMs }: WaitState): boolean =>
    satisfiedAtMs === undefined && on.type === 'unknown_step' && on.step === step
  if (!waits.some(isMet)) return waits
  return waits.map(wait => (isMet(wait) ? { ...wait, satisfiedAtMs: now } : wait))
}

/** The waits with those marked that are for the answer to this call; the same array where there are none. */
export function satisfyCallWaits(
  waits: readonly WaitState[],
  key: string,
  now: number,
): readonly WaitState[] {
  const isMet = ({ on, satisfiedAtMs }: WaitState): boolean =>
    satisfiedAtMs === undefined && on.type === 'external_key' && on.key === key
  if (!waits.some(isMet)) return waits
  return waits.map(wait => (isMet(wait) ? { ...wait, satisfiedAtMs: now } : wait))
}

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
  return jsonEquals(asJson(asAsked(current)), asJson(wait)) ? undefined : waits.with(place, wait)
}

const asAsked = ({ satisfiedAtMs: _, ...wait }: WaitState): WaitState => wait

/** The waits without the one of the key, or without any. `undefined`: there is none to take away. */
export function withoutWait(
  waits: readonly WaitState[],
  key: string | undefined,
): readonly WaitState[] | undefined {
  const left = key === undefined ? [] : waits.filter(wait => wait.key !== key)
  return left.length === waits.length ? undefined : left
}
