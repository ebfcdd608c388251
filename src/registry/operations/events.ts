import { requireUnheld } from '../../model/completion.ts'
import { type AppendRequest, CANCEL_REQUESTED, decideAppend } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { findSchemaProblem } from '../json-schema.ts'
import type { AppendResult, EventOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { dueUnlessHeld, repaired, requireProcess, writeEvent } from './shared.ts'

export function createEventOperations(store: ProcessStore): EventOperations {
  return {
    append: async (id, request) => {
      requirePayloadSize(`payload of event "${request.eventType}"`, request.payload, id)
      return store.transaction(tx => append(tx, id, request))
    },

    eventsAfter: (id, after, limit = 1_000) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listEvents(record.id, after, limit)
      }),

    recentEvents: (id, limit = 32) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listRecentEvents(record.id, limit)
      }),

    countEventsThrough: (id, eventType, through) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.countEvents(record.id, eventType, through)
      }),

    wakeEventsAfter: (id, after, limit = 1_000) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listWakeEvents(record.id, after, limit)
      }),

    ackWake: (id, sequence) =>
      store.transaction(function* (tx) {
        const { record } = yield* requireProcess(tx, id)
        yield* tx.ackWake(record.id, sequence)
      }),
  }
}

function* append(tx: StoreTransaction, id: string, request: AppendRequest): Operation<AppendResult> {
  const processId = id as ProcessId
  const stored = yield* requireProcess(tx, processId)
  const withSameKey =
    request.replayKey === undefined ? undefined : yield* tx.findEvent(processId, request.replayKey)
  const now = yield* tx.now()
  const decision = decideAppend(
    { record: stored.record, ...(withSameKey === undefined ? {} : { withSameKey }) },
    { ...request, processId },
    now,
    findSchemaProblem,
  )
  if (decision.type === 'replay') {
    if (decision.isRepair) yield* repaired(tx, stored, decision.event)
    return { type: 'replayed', event: decision.event }
  }
  if (decision.stored.event.semantics?.terminal !== undefined) {
    // Its producer declared that this event ends the process; still nobody ends it under a holder's feet.
    requireUnheld(processId, yield* tx.loadLease(processId), now)
  }
  const { event, stored: told } = yield* writeEvent(tx, stored, decision.stored)
  const isRequest = event.eventType === CANCEL_REQUESTED
  const next = isRequest ? (yield* dueUnlessHeld(tx, told, now)).stored : told
  yield* tx.saveProcess(next, { status: 'any' })
  return { type: 'appended', event }
}
