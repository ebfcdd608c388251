import { unknownProcess } from '../../model/errors.ts'
import { CANCEL_REQUESTED, decideAppend, projectEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { findSchemaProblem } from '../json-schema.ts'
import type { EventOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { changed, dueUnlessHeld, requireProcess } from './shared.ts'

export function createEventOperations(store: ProcessStore): EventOperations {
  return {
    append: async (id, request) => {
      requirePayloadSize(`payload of event "${request.eventType}"`, request.payload, id)
      return store.transaction(function* (tx) {
        const processId = id as ProcessId
        const stored = yield* tx.loadProcess(processId)
        if (stored === undefined) throw unknownProcess(id)
        const withSameKey =
          request.replayKey === undefined ? undefined : yield* tx.findEvent(processId, request.replayKey)
        const now = yield* tx.now()
        const decision = decideAppend(
          { record: stored.record, ...(withSameKey === undefined ? {} : { withSameKey }) },
          { ...request, processId },
          now,
          findSchemaProblem,
        )
        if (decision.type === 'replay') return { type: 'replayed' as const, event: decision.event }
        const { event } = decision.stored
        yield* tx.insertEvent(decision.stored)
        const told = changed(stored, projectEvent(stored.record, event), now)
        const isRequest = event.eventType === CANCEL_REQUESTED
        const next = isRequest ? (yield* dueUnlessHeld(tx, told, now)).stored : told
        yield* tx.saveProcess(next, { status: 'any' })
        return { type: 'appended' as const, event }
      })
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
  }
}
