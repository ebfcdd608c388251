import { alreadyTerminal } from './completion.ts'
import { LeaseholdError, unknownProcess } from './errors.ts'
import {
  type EventSemantics,
  type MaterializedSemantics,
  materialize,
  materializeGiven,
  type WakeSpec,
} from './event-semantics.ts'
import type { ProcessId } from './ids.ts'
import { hashJson, type Json } from './json.ts'
import { isTerminal, type Outcome, TERMINAL_STATUSES, type TerminalStatus } from './outcome.ts'
import type { ProcessRecord } from './process.ts'
import type { CausalRef } from './provenance.ts'
import type { SessionScope } from './session-scope.ts'
import { signalEventType, signalNameOf } from './signal.ts'

/** A type of event that a process declares at registration. `payloadSchema` is JSON Schema; `true` allows anything. */
export interface EventType {
  readonly name: string
  readonly payloadSchema: Json
  /** Absent for events that are only recorded. */
  readonly semantics?: EventSemantics
}

export interface ProcessEvent {
  readonly processId: ProcessId
  /** From 1, without gap, strictly growing per process. */
  readonly sequence: number
  readonly eventType: string
  readonly payload: Json
  readonly invocation: EventInvocation
  /** What it did beyond being recorded: ended the process, woke a session. */
  readonly semantics?: MaterializedSemantics
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
  /** Who is woken, if the event wakes. Default: the row's wake target. */
  readonly wakeTargetScope?: SessionScope
}

export interface StoredEvent {
  readonly event: ProcessEvent
  readonly payloadHash: string
}

export const MAX_EVENT_TYPE_LENGTH = 200
export const CANCEL_REQUESTED = 'process.cancel_requested'

export const terminalEventType = (status: TerminalStatus): string => `process.${status}`

/** Declared on every process, whether the producer lists them or not. A producer may add a wake to them, and no more. */
export const CORE_EVENT_TYPES: readonly EventType[] = [
  { name: CANCEL_REQUESTED, payloadSchema: true },
  { name: 'process.waiting', payloadSchema: true },
  { name: 'process.resumed', payloadSchema: true },
  ...TERMINAL_STATUSES.map(state => ({
    name: terminalEventType(state),
    payloadSchema: true,
    semantics: { terminal: { state, awaitOutput: { pointer: '/await_output' } } },
  })),
]

/** A core type that also wakes, for a producer to declare: `wakeOn('process.completed', { input: 'payload' })`. */
export function wakeOn(coreType: string, wake: WakeSpec): EventType {
  const core = CORE_EVENT_TYPES.find(({ name }) => name === coreType)
  if (core === undefined) throw new LeaseholdError('usage', `"${coreType}" is no core event type.`)
  return { ...core, semantics: { ...core.semantics, wake } }
}

/** Written only by the operation that each names; nobody may declare or append them. */
export const RESERVED_EVENT_TYPES = {
  firstStarted: 'process.first_started',
  externalRefSet: 'process.external_ref_set',
  abandonRequested: 'process.abandon_requested',
  wakeTargetCleared: 'process.wake_target_cleared',
  ownerSilent: 'process.owner_silent',
  ownerBack: 'process.owner_back',
  hostDead: 'process.host_dead',
  stepResolved: 'process.step_resolved',
  approvalRequested: 'process.approval_requested',
  approvalAnswered: 'process.approval_answered',
} as const

/** The session that started the work hears that nobody can say what became of it, and when somebody can again. */
const RESERVED_SEMANTICS: Readonly<Record<string, EventSemantics>> = {
  [RESERVED_EVENT_TYPES.ownerSilent]: {
    wake: {
      input: {
        const:
          'The owner of this process is gone, and nothing says what became of its work. It stays as it is until the owner is back, is proven dead, or somebody asks to abandon it.',
      },
    },
  },
  [RESERVED_EVENT_TYPES.ownerBack]: {
    wake: { input: { const: 'The owner of this process is back, and its work goes on.' } },
  },
}

const RESERVED: ReadonlySet<string> = new Set(Object.values(RESERVED_EVENT_TYPES))

export const isReservedEventType = (name: string): boolean => RESERVED.has(name)

/** Written by `complete` and nothing else, under a lease or an authority. */
const CORE_TERMINAL: ReadonlySet<string> = new Set(TERMINAL_STATUSES.map(terminalEventType))

/** Deterministic replay keys: a writer that retries after a lost answer finds its own event. */
export const replayKeys = {
  terminal: (id: string, eventType: string): string => `process:${id}:terminal:${eventType}`,
  /** The same words are the same request; a forced one is another. */
  cancelRequested: (id: string, reason: string | undefined, isForced = false): string =>
    `process:${id}:cancel_requested:${hashJson({ reason: reason ?? null, ...(isForced ? { force: true } : {}) })}`,
  signal: (id: string, name: string, signalId: string): string =>
    `process:${id}:${signalEventType(name)}:${signalId}`,
  waiting: (waitKey: string): string => `${waitKey}:waiting`,
  resumed: (waitKey: string): string => `${waitKey}:resumed`,
  emitted: (id: string, epoch: number, address: string): string => `process:${id}:event:${epoch}:${address}`,
}

export type AppendDecision =
  | { readonly type: 'append'; readonly stored: StoredEvent }
  /** `isRepair`: the event ended the process, and the row does not say so yet. */
  | { readonly type: 'replay'; readonly event: ProcessEvent; readonly isRepair: boolean }

/**
 * What an append means, in the contract's order: unknown process; replay of an identical one; conflict; undeclared
 * type; missing replay key; schema; semantics; terminal. `validate` checks the payload against the declared JSON Schema
 * and returns what is wrong with it.
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
  if (withSameKey !== undefined) return replayOf(record, withSameKey, request)
  const declared = requireAppendable(record, eventType)
  const isEnd = declared.semantics?.terminal !== undefined
  if ((isEnd || eventType === CANCEL_REQUESTED) && (replayKey ?? '') === '') {
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
  const sequence = record.lastSequence + 1
  const semantics = materialize(declared.semantics, { processId, sequence, eventType, payload })
  // What comes to an ended process is only noted: nobody is left to take a signal, and its end stands.
  if (isTerminal(record.status) && (isEnd || signalNameOf(eventType) !== undefined)) {
    throw alreadyTerminal(record)
  }
  return { type: 'append', stored: buildEvent(record, request, now, semantics) }
}

/** The same key again: the event that it names, if the request is the same. */
export function replayOf(
  record: ProcessRecord,
  withSameKey: StoredEvent,
  request: AppendRequest,
): Extract<AppendDecision, { type: 'replay' }> {
  const { event, payloadHash } = withSameKey
  if (payloadHash === hashPayload(request.eventType, request.payload)) {
    const isRepair = event.semantics?.terminal !== undefined && !isTerminal(record.status)
    return { type: 'replay', event, isRepair }
  }
  throw new LeaseholdError(
    'process_event_replay_conflict',
    `Replay key "${request.replayKey}" of process "${record.id}" already names event #${event.sequence} (${event.eventType}) with another payload. Use a new key for a new event.`,
    { processId: record.id, details: { replayKey: request.replayKey, sequence: event.sequence } },
  )
}

function requireAppendable(record: ProcessRecord, eventType: string): EventType {
  const processId = record.id
  const declared = record.eventTypes.find(type => type.name === eventType)
  if (declared === undefined || isReservedEventType(eventType)) {
    throw new LeaseholdError(
      'process_event_undeclared',
      `Process "${processId}" declares no event type "${eventType}". Declare it where its kind is defined.`,
      { processId, details: { eventType } },
    )
  }
  if (!CORE_TERMINAL.has(eventType)) return declared
  throw new LeaseholdError(
    'process_already_terminal',
    `"${eventType}" ends a process: write it with complete, under a lease or an authority, not with append.`,
    { processId, details: { eventType } },
  )
}

/** The next event of the record. Only for types whose rules the caller has already applied. */
export function buildEvent(
  record: Pick<ProcessRecord, 'id' | 'lastSequence'>,
  request: AppendRequest,
  now: number,
  semantics?: MaterializedSemantics,
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
      ...(semantics === undefined ? {} : { semantics }),
      occurredAtMs: now,
    },
  }
}

/** An event that the registry itself writes; with an outcome, the one that ends the process. */
export interface RegistryEvent extends AppendRequest {
  readonly outcome?: Outcome
}

/** The same for an event that the registry writes: what its type means never keeps it from being written. */
export function buildRegistryEvent(record: ProcessRecord, request: RegistryEvent, now: number): StoredEvent {
  const { eventType, payload, outcome } = request
  const declared = record.eventTypes.find(type => type.name === eventType)?.semantics
  const source = { processId: record.id, sequence: record.lastSequence + 1, eventType, payload }
  const semantics = materializeGiven(declared ?? RESERVED_SEMANTICS[eventType], source, outcome)
  return buildEvent(record, request, now, semantics)
}

/** What an event does to the record. A terminal ends it; a cancel is a cancel, by whichever door it came; the first stays, and one by force adds that. */
export function projectEvent(record: ProcessRecord, event: ProcessEvent): ProcessRecord {
  const { sequence, occurredAtMs } = event
  const told = {
    ...record,
    lastSequence: Math.max(record.lastSequence, sequence),
    updatedAtMs: occurredAtMs,
    ...cancelRequestOf(record, event),
  }
  const terminal = event.semantics?.terminal
  if (terminal === undefined) return told
  // Waits and silence end with the process.
  const { silentSinceMs: _, ...rest } = told
  return { ...rest, status: terminal.state, outcome: terminal.output, waits: [] }
}

function cancelRequestOf(record: ProcessRecord, event: ProcessEvent): Pick<ProcessRecord, 'cancelRequest'> {
  const { eventType, payload, occurredAtMs } = event
  if (eventType !== CANCEL_REQUESTED) return {}
  const said = (name: string): unknown =>
    typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : undefined
  const reason = said('reason')
  const first = record.cancelRequest ?? {
    requestedAtMs: occurredAtMs,
    ...(typeof reason === 'string' ? { reason } : {}),
  }
  const isNewlyForced = said('force') === true && first.forcedAtMs === undefined
  return { cancelRequest: isNewlyForced ? { ...first, forcedAtMs: occurredAtMs } : first }
}

const hashPayload = (eventType: string, payload: Json): string => hashJson([eventType, payload])
