import { createHash } from 'node:crypto'
import type { EventInvocation, ProcessEvent } from './event.ts'
import type { ProcessId } from './ids.ts'
import { canonicalJson } from './json.ts'
import type { ProcessRecord } from './process.ts'
import type { CausalRef } from './provenance.ts'
import { type SessionScope, scopeId } from './session-scope.ts'

/** A durable message from a process to the session that should hear of it. */
export interface WakeDelivery {
  /** The same for the same target and dedupe key: a wake that is said again is one wake. */
  readonly wakeId: string
  readonly targetSessionId: string
  readonly targetScopeId: string
  readonly processId: ProcessId
  readonly sequence: number
  readonly eventType: string
  readonly eventInvocation: EventInvocation
  readonly processCausedBy?: CausalRef
  readonly dedupeKey: string
  readonly input: string
  readonly createdAtMs: number
}

/**
 * The delivery of an event that wakes, to the scope that its append named, else to the row's wake target. Nobody to
 * wake is no error: the event is in the log.
 */
export function wakeDeliveryOf(
  record: Pick<ProcessRecord, 'provenance' | 'wakeTarget'>,
  event: ProcessEvent,
  scope: SessionScope | undefined,
): WakeDelivery | undefined {
  const wake = event.semantics?.wake
  const target = scope ?? record.wakeTarget
  if (wake === undefined || target === undefined) return undefined
  const { causedBy } = record.provenance
  const { processId, sequence, eventType, invocation, occurredAtMs } = event
  return {
    ...addressOf(target, wake.dedupeKey),
    processId,
    sequence,
    eventType,
    eventInvocation: invocation,
    ...(causedBy === undefined ? {} : { processCausedBy: causedBy }),
    dedupeKey: wake.dedupeKey,
    input: wake.input,
    createdAtMs: occurredAtMs,
  }
}

/** The same wake for another session. */
export const redirectWake = (delivery: WakeDelivery, target: SessionScope): WakeDelivery => ({
  ...delivery,
  ...addressOf(target, delivery.dedupeKey),
})

function addressOf(
  target: SessionScope,
  dedupeKey: string,
): Pick<WakeDelivery, 'wakeId' | 'targetSessionId' | 'targetScopeId'> {
  const targetScopeId = scopeId(target)
  const digest = createHash('sha256')
    .update(canonicalJson([targetScopeId, dedupeKey]))
    .digest('hex')
  return { wakeId: `wake:${digest}`, targetSessionId: target.sessionId, targetScopeId }
}

/** The text that the session's model reads. */
export const renderWake = ({ processId, eventType, sequence, input }: WakeDelivery): string =>
  `Background process wake\nProcess: ${processId}\nEvent: ${eventType} #${sequence}\n\n${input}`

/** What the receiver dedupes on: a wake may be handed over more than once, and is queued once. */
export const wakeSourceKey = ({ processId, sequence }: WakeDelivery): string =>
  `process:${processId}:event:${sequence}:wake`

/** A wake as the target session queues it. */
export interface WakeDraft {
  readonly sourceKey: string
  readonly text: string
  /** When it may interrupt: between two steps of a turn, never inside one. */
  readonly boundary: 'earliest_safe'
  /** It is a turn of its own. */
  readonly slot: 'exclusive'
}

export const wakeDraft = (delivery: WakeDelivery): WakeDraft => ({
  sourceKey: wakeSourceKey(delivery),
  text: renderWake(delivery),
  boundary: 'earliest_safe',
  slot: 'exclusive',
})
