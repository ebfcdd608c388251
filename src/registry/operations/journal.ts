import { type AppendRequest, decideAppend, type ProcessEvent } from '../../model/event.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { leaseLost, type ProcessLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { findSchemaProblem } from '../json-schema.ts'
import type { JournalOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { leaseGuard, requireProcess, saveUnderLease, writeEvent } from './shared.ts'

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
      return store.transaction(tx => emit(tx, lease, entry, request))
    },
  }
}

function* emit(
  tx: StoreTransaction,
  lease: ProcessLease,
  entry: Omit<JournalEntry, 'value'>,
  request: AppendRequest,
): Operation<ProcessEvent> {
  const stored = yield* requireProcess(tx, lease.processId)
  const { id } = stored.record
  // An attempt that replays emits again what an earlier one has emitted: event and entry are there already.
  const { replayKey } = request
  const recorded = replayKey === undefined ? undefined : yield* tx.findEvent(id, replayKey)
  if (recorded !== undefined) return recorded.event
  const now = yield* tx.now()
  const decision = decideAppend(
    { record: stored.record },
    { ...request, processId: id },
    now,
    findSchemaProblem,
  )
  if (decision.type === 'replay') return decision.event
  const { event, stored: next } = yield* writeEvent(tx, stored, decision.stored, request)
  yield* saveUnderLease(tx, next, lease, now)
  const journaled = { ...entry, value: { sequence: event.sequence } }
  const isSaved = yield* tx.saveJournalEntry(journaled, leaseGuard(lease, now))
  if (!isSaved) throw leaseLost(lease, yield* tx.loadLease(id), now)
  // The process has ended itself: the lease goes with it, as in every terminal write.
  if (isTerminal(next.record.status)) {
    yield* tx.saveLease(id, { fence: lease.fencingToken }, lease.fencingToken)
  }
  return event
}
