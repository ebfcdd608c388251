import { requirePayloadSize } from '../../model/registration.ts'
import { requireSessionScope } from '../../model/session-scope.ts'
import type { EventOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { append } from './append.ts'
import { requireProcess } from './shared.ts'

export function createEventOperations(store: ProcessStore): EventOperations {
  return {
    append: async (id, request) => {
      if (request.wakeTargetScope !== undefined) requireSessionScope(request.wakeTargetScope)
      requirePayloadSize(`payload of event "${request.eventType}"`, request.payload, id)
      return store.transaction(function* (tx) {
        return (yield* append(tx, id, request)).result
      })
    },

    eventsAfter: (id, after, limit = 1_000) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listEvents(record.id, after, limit)
      }),

    findEvent: (id, eventType, after) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.findEventOfType(record.id, eventType, after)
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
