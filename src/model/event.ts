import { LeaseholdError, unknownProcess } from './errors.ts'
import type { ProcessId } from './ids.ts'
import { hashJson, type Json } from './json.ts'
import type { TerminalStatus } from './outcome.ts'
import type { ProcessRecord } from './process.ts'
import type { CausalRef } from './provenance.ts'

/** A type of event that a process declares at registration. `payloadSchema` is JSON Schema; `true` allows anything. */
export interface EventType {
  readonly name: string
  readonly payloadSchema: Json
  /** Present on the four types that end a process. */
  readonly terminal?: TerminalStatus
}

export interface ProcessEvent {
  readonly processId: ProcessId
  /** From 1, without gap, strictly growing per process. */
  readonly sequence: number
  readonly eventType: string
  readonly payload: Json
  readonly invocation: EventInvocation
  readonly occurredAtMs: number
}

/** Where an event comes from: its subject is itself, its cause the process. */
export interface EventInvocation {
  readonly scope: { readonly sessionId: string }
  readonly subject: { readonly processId: string; readonly sequence: number; readonly eventType: string }
  readonly causedBy: CausalRef
  readonly replay?: { readonly key: string }
}

export interface AppendRequest {
  readonly eventType: string
  readonly payload: Json
  /** Makes the append idempotent: the same key and payload again return the original event. */
  readonly replayKey?: string
}

export interface StoredEvent {
  readonly event: ProcessEvent
  readonly payloadHash: string
}

export const MAX_EVENT_TYPE_LENGTH = 200
export const CANCEL_REQUESTED = 'process.cancel_requested'

/** Declared on every process, whether the producer lists them or not. */
export const CORE_EVENT_TYPES: readonly EventType[] = [
  { name: CANCEL_REQUESTED, payloadSchema: true },
  { name: 'process.waiting', payloadSchema: true },
  { name: 'process.resumed', payloadSchema: true },
  { name: 'process.completed', payloadSchema: true, terminal: 'completed' },
  { name: 'process.failed', payloadSchema: true, terminal: 'failed' },
  { name: 'process.cancelled', payloadSchema: true, terminal: 'cancelled' },
  { name: 'process.abandoned', payloadSchema: true, terminal: 'abandoned' },
]

/** Written only by the operation that each names; nobody may declare or append them. */
export const RESERVED_EVENT_TYPES = {
  firstStarted: 'process.first_started',
  externalRefSet: 'process.external_ref_set',
  abandonRequested: 'process.abandon_requested',
  wakeTargetCleared: 'process.wake_target_cleared',
  ownerSilent: 'process.owner_silent',
  ownerBack: 'process.owner_back',
} as const

const RESERVED: ReadonlySet<string> = new Set(Object.values(RESERVED_EVENT_TYPES))

export const isReservedEventType = (name: string): boolean => RESERVED.has(name)

export const terminalEventType = (status: TerminalStatus): string => `process.${status}`

/** Deterministic replay keys: a writer that retries after a lost answer finds its own event. */
export const replayKeys = {
  terminal: (id: string, eventType: string): string => `process:${id}:terminal:${eventType}`,
  cancelRequested: (id: string, reason: string | undefined): string =>
    `process:${id}:cancel_requested:${hashJson({ reason: reason ?? null })}`,
  waiting: (waitKey: string): string => `${waitKey}:waiting`,
  resumed: (waitKey: string): string => `${waitKey}:resumed`,
  emitted: (id: string, epoch: number, address: string): string => `process:${id}:event:${epoch}:${address}`,
}

export type AppendDecision =
  | { readonly type: 'append'; readonly stored: StoredEvent }
  | { readonly type: 'replay'; readonly event: ProcessEvent }

/**
 * What an append means, in the contract's order: unknown process; replay of an identical one; conflict; undeclared
 * type; missing replay key; schema; terminal. `validate` checks the payload against the declared JSON Schema and
 * returns what is wrong with it.
 */
export function decideAppend(
  stored: { record: ProcessRecord; withSameKey?: StoredEvent } | undefined,
  request: AppendRequest & { processId: ProcessId },
  now: number,
  validate: (schema: Json, payload: Json) => string | undefined,
): AppendDecision {
  const { processId, eventType, payload, replayKey } = request
  if (stored === undefined) throw unknownProcess(processId)
  const { record, withSameKey } = stored
  const payloadHash = hashPayload(eventType, payload)
  if (withSameKey !== undefined) {
    if (withSameKey.payloadHash === payloadHash) return { type: 'replay', event: withSameKey.event }
    throw new LeaseholdError(
      'process_event_replay_conflict',
      `Replay key "${replayKey}" of process "${processId}" already names event #${withSameKey.event.sequence} (${withSameKey.event.eventType}) with another payload. Use a new key for a new event.`,
      { processId, details: { replayKey, sequence: withSameKey.event.sequence } },
    )
  }
  const declared = record.eventTypes.find(type => type.name === eventType)
  if (declared === undefined || isReservedEventType(eventType)) {
    throw new LeaseholdError(
      'process_event_undeclared',
      `Process "${processId}" declares no event type "${eventType}". Declare it where its kind is defined.`,
      { processId, details: { eventType } },
    )
  }
  if (declared.terminal !== undefined) {
    throw new LeaseholdError(
      'process_already_terminal',
      `"${eventType}" ends a process: write it with complete, under a lease or an authority, not with append.`,
      { processId, details: { eventType } },
    )
  }
  if (eventType === CANCEL_REQUESTED && (replayKey ?? '') === '') {
    throw new LeaseholdError(
      'process_event_replay_required',
      `"${eventType}" needs a replay key, so that the same request made twice is one event.`,
      { processId, details: { eventType } },
    )
  }
  const problem = validate(declared.payloadSchema, payload)
  if (problem !== undefined) {
    throw new LeaseholdError(
      'process_event_schema',
      `The payload of "${eventType}" does not fit its declared schema: ${problem}.`,
      { processId, details: { eventType } },
    )
  }
  return { type: 'append', stored: buildEvent(record, request, now) }
}

/** The next event of the record. Only for types whose rules the caller has already applied. */
export function buildEvent(
  record: Pick<ProcessRecord, 'id' | 'lastSequence'>,
  request: AppendRequest,
  now: number,
): StoredEvent {
  const { eventType, payload, replayKey } = request
  const sequence = record.lastSequence + 1
  return {
    payloadHash: hashPayload(eventType, payload),
    event: {
      processId: record.id,
      sequence,
      eventType,
      payload,
      invocation: {
        scope: { sessionId: 'runtime' },
        subject: { processId: record.id, sequence, eventType },
        causedBy: { type: 'process', processId: record.id },
        ...(replayKey === undefined ? {} : { replay: { key: replayKey } }),
      },
      occurredAtMs: now,
    },
  }
}

/** What an event does to the record: a cancel event is a cancel, by whichever door it came, and the first one stays. */
export function projectEvent(
  record: ProcessRecord,
  event: ProcessEvent,
): Pick<ProcessRecord, 'lastSequence' | 'cancelRequest'> {
  const { sequence, occurredAtMs, eventType, payload } = event
  if (eventType !== CANCEL_REQUESTED || record.cancelRequest !== undefined) return { lastSequence: sequence }
  const reason = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'reason') : undefined
  return {
    lastSequence: sequence,
    cancelRequest: { requestedAtMs: occurredAtMs, ...(typeof reason === 'string' ? { reason } : {}) },
  }
}

const hashPayload = (eventType: string, payload: Json): string => hashJson([eventType, payload])
