import { decideAppend, projectEvent } from '../../model/event.ts'
import { leaseLost } from '../../model/lease.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { findSchemaProblem } from '../json-schema.ts'
import type { JournalOperations } from '../registry.ts'
import type { ProcessStore } from '../store.ts'
import { changed, leaseGuard, requireProcess, saveUnderLease } from './shared.ts'

export function createJournalOperations(store: ProcessStore): JournalOperations {
  return {
    journal: id =>
      store.read(function* (reader) {
        const { record, epoch } = yield* requireProcess(reader, id)
        return yield* reader.listJournal(record.id, epoch)
      }),

    saveJournalEntry: async (lease, entry) => {
      if (entry.value !== undefined)
        requirePayloadSize(`value of step "${entry.address}"`, entry.value, lease.processId)
      return store.transaction(function* (tx) {
        const now = yield* tx.now()
        // The lease is compared by the saving statement itself: a step costs one statement and one commit.
        const isSaved = yield* tx.saveJournalEntry(entry, leaseGuard(lease, now))
        if (!isSaved) throw leaseLost(lease, yield* tx.loadLease(lease.processId), now)
      })
    },

    emit: async (lease, entry, request) => {
      requirePayloadSize(`payload of event "${request.eventType}"`, request.payload, lease.processId)
      return store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, lease.processId)
        // An attempt that replays emits again what an earlier one has emitted: event and entry are there already.
        const { replayKey } = request
        const recorded =
          replayKey === undefined ? undefined : yield* tx.findEvent(stored.record.id, replayKey)
        if (recorded !== undefined) return recorded.event
        const now = yield* tx.now()
        const decision = decideAppend(
          { record: stored.record },
          { ...request, processId: stored.record.id },
          now,
          findSchemaProblem,
        )
        if (decision.type === 'replay') return decision.event
        const { event } = decision.stored
        yield* tx.insertEvent(decision.stored)
        yield* saveUnderLease(tx, changed(stored, projectEvent(stored.record, event), now), lease, now)
        const journaled = { ...entry, value: { sequence: event.sequence } }
        const isSaved = yield* tx.saveJournalEntry(journaled, leaseGuard(lease, now))
        if (!isSaved) throw leaseLost(lease, yield* tx.loadLease(lease.processId), now)
        return event
      })
    },
  }
}
