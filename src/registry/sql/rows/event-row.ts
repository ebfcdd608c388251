import type { ProcessEvent, StoredEvent } from '../../../model/event.ts'
import { signalNameOf } from '../../../model/signal.ts'
import { decode, decodeOptional, encode, encodeOptional } from '../json-text.ts'
import type { EventRow } from '../schema.ts'
import { present } from './present.ts'

export const toEventRow = ({ event, payloadHash }: StoredEvent): EventRow => ({
  process_id: event.processId,
  sequence: event.sequence,
  event_type: event.eventType,
  payload: encode(event.payload),
  session_id: event.invocation.scope.sessionId,
  caused_by: encode(event.invocation.causedBy),
  replay_key: event.invocation.replay?.key ?? null,
  payload_hash: payloadHash,
  occurred_at: event.occurredAtMs,
  semantics: encodeOptional(event.semantics),
  unacked_wake: event.semantics?.wake === undefined ? null : 1,
  unconsumed_signal: signalNameOf(event.eventType) === undefined ? null : 1,
})

export function eventFromRow(row: EventRow): ProcessEvent {
  const { process_id: processId, sequence, event_type: eventType, replay_key: key } = row
  return {
    processId,
    sequence,
    eventType,
    payload: decode(row.payload),
    invocation: {
      scope: { sessionId: row.session_id },
      subject: { processId, sequence, eventType },
      causedBy: decode(row.caused_by),
      ...present({ replay: key === null ? null : { key } }),
    },
    ...present({ semantics: decodeOptional(row.semantics) }),
    occurredAtMs: row.occurred_at,
  }
}
