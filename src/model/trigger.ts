import { createHash } from 'node:crypto'
import { doubling } from './due.ts'
import { LeaseholdError } from './errors.ts'
import { asJson, canonicalJson, type Json, jsonEquals } from './json.ts'
import type { SessionScope } from './session-scope.ts'

/**
 * A trigger is a standing order: whatever occurs of its source starts one process.
 *
 *   occurrence ──▶ one delivery for each trigger that is on, with the trigger as it is then ──▶ started
 *                                                             └── later, and later ──▶ failed, after 7 days
 *
 * The occurrence and its deliveries are one write, and the process's id follows from the two; so however often either is
 * repeated, and by whomever, there is one process, and it is the one that was ordered when it occurred.
 */
export interface Trigger extends TriggerOrder {
  /** Random, new for each life of the id: a trigger that is removed and added again is another one. */
  readonly incarnation: string
  /** From 1, with each change. */
  readonly revision: number
  readonly isPaused: boolean
  /** Of a schedule that is on: when it occurs next. */
  readonly nextAtMs?: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with each write: of two writers that read the same, one wins. */
  readonly version: number
}

/** What the caller says. */
export interface TriggerOrder {
  readonly triggerId: string
  readonly source: TriggerSource
  readonly start: TriggeredStart
}

export type TriggerSource =
  /** Occurs whenever somebody says so under this name. */
  | { readonly type: 'event'; readonly name: string }
  /**
   * Occurs by the clock of a time zone; `cron` has five fields, or six with seconds first. `catchUpMs`: how long after a time
   * it may still occur; absent: however long.
   */
  | {
      readonly type: 'schedule'
      readonly cron: string
      readonly timeZone: string
      readonly catchUpMs?: number
    }

/** What is started. It is checked once when the trigger is added, and with its input at each occurrence. */
export interface TriggeredStart {
  readonly kind: string
  /** Absent: what occurred. */
  readonly input?: Json
  readonly label?: string
  readonly maxAttempts?: number
  /** The trigger's registrant: originator, wake target and first grant of what is started. Absent: the host. */
  readonly session?: SessionScope
  /** Captured as the trigger was added. */
  readonly envRef?: string
}

export interface TriggerOccurrence {
  /** The caller's key, or a place in a schedule: the same one is recorded once. */
  readonly occurrenceId: string
  readonly source: OccurrenceSource
  readonly payload: Json
  readonly occurredAtMs: number
}

/** An event's name, or the one trigger whose schedule it is. */
export type OccurrenceSource =
  | { readonly type: 'event'; readonly name: string }
  | { readonly type: 'schedule'; readonly triggerId: string }

/** The reservation: what one occurrence means for one trigger, as that was then. */
export interface TriggerDelivery {
  readonly processId: string
  readonly occurrence: TriggerOccurrence
  readonly trigger: Pick<Trigger, 'triggerId' | 'incarnation' | 'revision' | 'start'>
  readonly status: 'reserved' | 'started' | 'failed'
  /** While it is reserved: when it is tried again. */
  readonly dueAtMs?: number
  readonly failures: number
  /** Why the last try failed. */
  readonly reason?: string
  readonly reservedAtMs: number
  /** Grows with each write. */
  readonly version: number
}

/** Every number of the delivery. */
export const TRIGGERS = {
  batch: 32,
  /** For whoever recorded the occurrence: nobody else starts it meanwhile. */
  firstTryMs: 2_000,
  /** 1 s, doubling to 5 min. */
  retryAfterMs: (failures: number): number => doubling(1_000, failures - 1, 300_000),
  expiryMs: 7 * 24 * 60 * 60 * 1_000,
  /** A shorter catch-up window would leave out what is merely late, as after a worker's death. */
  leastCatchUpMs: 60_000,
} as const

/** What the trigger's process is called. */
export function triggeredProcessId(
  occurrenceId: string,
  { triggerId, incarnation, revision }: Pick<Trigger, 'triggerId' | 'incarnation' | 'revision'>,
): string {
  const identity = canonicalJson([occurrenceId, triggerId, incarnation, revision])
  return `process:trigger:${createHash('sha256').update(identity).digest('hex')}`
}

export const eventOccurrenceId = (name: string, key: string): string => `event:${name}:${key}`

/** The same for every worker that finds the schedule due. */
export const scheduleOccurrenceId = ({ triggerId, incarnation }: Trigger, atMs: number): string =>
  `schedule:${triggerId}:${incarnation}:${new Date(atMs).toISOString()}`

export type SaveTriggerDecision =
  | { readonly type: 'added' | 'changed'; readonly trigger: Trigger }
  | { readonly type: 'unchanged'; readonly trigger: Trigger }

/** The same order again changes nothing, another one under the id replaces it from the next occurrence on. */
export function decideSaveTrigger(
  existing: Trigger | undefined,
  order: TriggerOrder,
  {
    now,
    incarnation,
    nextAtMs,
  }: { readonly now: number; readonly incarnation: string; readonly nextAtMs?: number },
): SaveTriggerDecision {
  const next = nextAtMs === undefined ? {} : { nextAtMs }
  const { triggerId, source, start } = order
  if (existing === undefined) {
    const life = { incarnation, revision: 1, isPaused: false, createdAtMs: now, updatedAtMs: now, version: 1 }
    return { type: 'added', trigger: { triggerId, source, start, ...life, ...next } }
  }
  if (jsonEquals(asJson(existing.source), asJson(source)) && sameStart(existing.start, start))
    return { type: 'unchanged', trigger: existing }
  const { nextAtMs: _, ...kept } = existing
  const trigger = changed({ ...kept, source, start }, now)
  return { type: 'changed', trigger: { ...trigger, ...(trigger.isPaused ? {} : next) } }
}

/** A paused trigger is not delivered to; what occurs meanwhile is not made up for. `undefined`: it is so already. */
export function decidePauseTrigger(
  trigger: Trigger,
  isPaused: boolean,
  { now, nextAtMs }: { readonly now: number; readonly nextAtMs?: number },
): Trigger | undefined {
  if (trigger.isPaused === isPaused) return undefined
  const { nextAtMs: _, ...rest } = trigger
  return changed({ ...rest, isPaused, ...(isPaused || nextAtMs === undefined ? {} : { nextAtMs }) }, now)
}

/**
 * A schedule whose time has come goes on to the next one. Not its revision: nobody has changed it. `undefined`: it has
 * gone on, or is another one by now.
 */
export function decideScheduleOccurs(
  trigger: Trigger | undefined,
  seen: Pick<Trigger, 'incarnation' | 'revision' | 'nextAtMs'>,
  nextAtMs: number | undefined,
): Trigger | undefined {
  const isSame =
    trigger?.incarnation === seen.incarnation &&
    trigger.revision === seen.revision &&
    trigger.nextAtMs === seen.nextAtMs
  if (!isSame) return undefined
  const { nextAtMs: _, ...rest } = trigger
  const version = trigger.version + 1
  return nextAtMs === undefined ? { ...rest, version } : { ...rest, version, nextAtMs }
}

/** Throws `trigger_occurrence_conflict` where the key was used for something else. */
export function requireSameOccurrence(known: TriggerOccurrence, again: TriggerOccurrence): void {
  if (jsonEquals(known.payload, again.payload)) return
  throw new LeaseholdError(
    'trigger_occurrence_conflict',
    `The occurrence "${known.occurrenceId}" is recorded with another payload. A key stands for one thing that happened: give what is new a key of its own.`,
    { details: { occurrenceId: known.occurrenceId } },
  )
}

/** Whether what occurred concerns the trigger. */
export const isMeant = ({ source, triggerId, isPaused }: Trigger, occurred: OccurrenceSource): boolean => {
  if (isPaused) return false
  return occurred.type === 'event'
    ? source.type === 'event' && source.name === occurred.name
    : source.type === 'schedule' && triggerId === occurred.triggerId
}

export function reserve(
  trigger: Trigger,
  occurrence: TriggerOccurrence,
  { now, isDueAtOnce }: { readonly now: number; readonly isDueAtOnce: boolean },
): TriggerDelivery {
  const { triggerId, incarnation, revision, start } = trigger
  return {
    processId: triggeredProcessId(occurrence.occurrenceId, trigger),
    occurrence,
    trigger: { triggerId, incarnation, revision, start },
    status: 'reserved',
    dueAtMs: isDueAtOnce ? now : now + TRIGGERS.firstTryMs,
    failures: 0,
    reservedAtMs: now,
    version: 1,
  }
}

/** `reason`: why it could not be started now. `undefined`: it is settled already, and stays so. */
export function decideSettleDelivery(
  delivery: TriggerDelivery,
  settlement: { readonly type: 'started' } | { readonly type: 'not_started'; readonly reason: string },
  now: number,
): TriggerDelivery | undefined {
  if (delivery.status !== 'reserved') return undefined
  const { dueAtMs: _, ...rest } = delivery
  const written = { ...rest, version: delivery.version + 1 }
  if (settlement.type === 'started') return { ...written, status: 'started' }
  const failures = delivery.failures + 1
  // As a column takes it: errors quote what they were given.
  const reason = settlement.reason.slice(0, MAX_REASON).toWellFormed().replaceAll('\0', '')
  const failed = { ...written, failures, reason }
  if (now >= delivery.reservedAtMs + TRIGGERS.expiryMs) return { ...failed, status: 'failed' }
  return { ...failed, dueAtMs: now + TRIGGERS.retryAfterMs(failures) }
}

const changed = (trigger: Trigger, now: number): Trigger => ({
  ...trigger,
  revision: trigger.revision + 1,
  version: trigger.version + 1,
  updatedAtMs: now,
})

const sameStart = (left: TriggeredStart, right: TriggeredStart): boolean =>
  jsonEquals(asJson(left), asJson(right))

/** Throws `trigger_invalid`. */
export function requireOrder({ triggerId, source }: TriggerOrder): void {
  requireText('id', triggerId)
  if (source.type === 'event') requireText('event name', source.name)
  else if (source.catchUpMs !== undefined) requireCatchUp(source.catchUpMs)
}

function requireCatchUp(ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= TRIGGERS.leastCatchUpMs) return
  throw new LeaseholdError(
    'trigger_invalid',
    `A schedule's catch-up window is a whole number of milliseconds, ${TRIGGERS.leastCatchUpMs} at least; found ${ms}.`,
  )
}

/** Throws `trigger_invalid`. */
export function requireOccurrence({
  occurrenceId,
  source,
}: Pick<TriggerOccurrence, 'occurrenceId' | 'source'>) {
  if (source.type === 'event') requireText('event name', source.name)
  requireText('occurrence', occurrenceId, 2 * MAX_ID_BYTES)
}

const MAX_ID_BYTES = 512
const MAX_REASON = 1_000

function requireText(what: string, text: string, maxBytes = MAX_ID_BYTES): void {
  const isUsable =
    typeof text === 'string' &&
    text.trim() !== '' &&
    !/\p{Cc}/u.test(text) &&
    text.isWellFormed() &&
    Buffer.byteLength(text) <= maxBytes
  if (isUsable) return
  throw new LeaseholdError(
    'trigger_invalid',
    `A trigger's ${what} is 1 to ${maxBytes} bytes of text without control characters; found ${JSON.stringify(String(text).slice(0, 80))}.`,
  )
}

export const unknownTrigger = (triggerId: string): LeaseholdError =>
  new LeaseholdError(
    'trigger_unknown',
    `There is no trigger "${triggerId}" in this registry. "leasehold triggers list" shows those that there are.`,
    { details: { triggerId } },
  )
