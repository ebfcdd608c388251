import { requireUnheld } from '../../model/completion.ts'
import { type AppendRequest, CANCEL_REQUESTED, decideAppend, type ProcessEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { StoredProcess } from '../../model/process.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { requireSessionScope } from '../../model/session-scope.ts'
import { type WakeDelivery, wakeDeliveryOf } from '../../model/wake.ts'
import { findSchemaProblem } from '../json-schema.ts'
import type { AppendResult, EventOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { putWake } from './put-wake.ts'
import { dueUnlessHeld, repaired, requireProcess, writeEvent } from './shared.ts'

export function createEventOperations(store: ProcessStore): EventOperations {
  return {
    append: async (id, request) => {
      if (request.wakeTargetScope !== undefined) requireSessionScope(request.wakeTargetScope)
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
    return yield* replayed(tx, stored, decision.event, request)
  }
  if (decision.stored.event.semantics?.terminal !== undefined) {
    // Its producer declared that this event ends the process; still nobody ends it under a holder's feet.
    requireUnheld(processId, yield* tx.loadLease(processId), now)
  }
  const written = yield* writeEvent(tx, stored, decision.stored, request)
  const { event, stored: told } = written
  const isRequest = event.eventType === CANCEL_REQUESTED
  const next = isRequest ? (yield* dueUnlessHeld(tx, told, now)).stored : told
  yield* tx.saveProcess(next, { status: 'any' })
  return { type: 'appended', event, ...present(written.wakeDelivery) }
}

/** The original event. Its wake is said again, which is nothing new but for a session that was not told before. */
function* replayed(
  tx: StoreTransaction,
  { record }: StoredProcess,
  event: ProcessEvent,
  { wakeTargetScope }: AppendRequest,
): Operation<AppendResult> {
  const wakeDelivery = wakeDeliveryOf(record, event, wakeTargetScope)
  if (wakeDelivery !== undefined) yield* putWake(tx, wakeDelivery, yield* tx.now())
  return { type: 'replayed', event, ...present(wakeDelivery) }
}

const present = (wakeDelivery: WakeDelivery | undefined): Pick<AppendResult, 'wakeDelivery'> =>
  wakeDelivery === undefined ? {} : { wakeDelivery }
