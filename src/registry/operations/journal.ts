import {
  decideStartEpoch,
  type EpochRequest,
  epochConflict,
  STATE_ADDRESS,
  stateEntry,
} from '../../model/epoch.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { type AppendRequest, decideAppend } from '../../model/event.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { asJson, jsonEquals } from '../../model/json.ts'
import { isCurrentLease, leaseLost, type ProcessLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import { findSchemaProblem } from '../json-schema.ts'
import { immediately, together } from '../operation.ts'
import type { EmitResult, EpochAnswer, JournalOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { closeReservations } from './budgets.ts'
import { changed } from './due.ts'
import { freePlace } from './flow.ts'
import { leaseGuard, requireHeld, requireProcess, saveUnderLease, writeEvent } from './shared.ts'
import { waitersFor } from './waiters.ts'

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
        // Lease, time and epoch are compared by the saving statement itself: a step costs one statement and one commit.
        yield* saveEntry(tx, lease, entry)
      })
    },

    emit: async (lease, entry, request) => {
      requirePayloadSize(`payload of event "${request.eventType}"`, request.payload, lease.processId)
      return store.transaction(tx => emit(tx, lease, entry, request))
    },

    startEpoch: async (lease, request) => {
      requirePayloadSize('state handed on by a rollover', request.state, lease.processId)
      return store.transaction(tx => startEpoch(tx, lease, request))
    },
  }
}

/** Writes the entry under the lease, or says why it may not be written. `at`: default as of `LeaseGuard`. */
export function* saveEntry(
  tx: StoreTransaction,
  lease: ProcessLease,
  entry: JournalEntry,
  at?: number,
): Operation<void> {
  if (yield* tx.saveJournalEntry(entry, leaseGuard(lease, at))) return
  const current = yield* tx.loadLease(lease.processId)
  const now = at ?? (yield* tx.now())
  if (current === undefined || !isCurrentLease(current, lease, now)) throw leaseLost(lease, current, now)
  // A forged entry names a process whose lease this is not.
  if (entry.processId !== lease.processId) throw leaseLost(lease, current, now)
  const { epoch } = yield* requireProcess(tx, lease.processId)
  if (epoch !== entry.epoch) throw epochConflict(lease.processId, epoch, entry.epoch)
  const stored = yield* tx.loadJournalEntry(lease.processId, epoch, entry.address)
  // The same again, after an answer that was lost.
  if (stored !== undefined && jsonEquals(asJson(stored), asJson(entry))) return
  throw new LeaseholdError(
    'step_final',
    `Step "${entry.address}" of process "${lease.processId}" is ${stored?.status}${stored?.resolution === undefined ? '' : ', as was said from outside'}, and what is known of a step is not written again. The attempt is repeated, and finds it so.`,
    { processId: lease.processId, details: { step: entry.address, status: stored?.status } },
  )
}

function* startEpoch(
  tx: StoreTransaction,
  lease: ProcessLease,
  request: EpochRequest,
): Operation<EpochAnswer> {
  const { stored, now } = yield* requireHeld(tx, lease)
  const { id } = stored.record
  const decision = decideStartEpoch(
    stored,
    yield* tx.loadJournalEntry(id, stored.epoch, STATE_ADDRESS),
    request,
  )
  if (decision.type === 'cancel_requested') return decision
  if (decision.type === 'replay') {
    return { type: 'replayed', process: stored, journal: yield* tx.listJournal(id, stored.epoch) }
  }
  // Like a park, it is progress: what failed before counts no longer.
  const next = changed({ ...stored, epoch: request.epoch, failures: 0 }, {}, now)
  yield* saveUnderLease(tx, next, lease, now)
  yield* tx.deleteRepeatable(id, stored.epoch)
  const written = { attempt: lease.owner.incarnationId, fence: lease.fencingToken, state: request.state, now }
  const entry = stateEntry(next, written)
  yield* saveEntry(tx, lease, entry, now)
  return { type: 'started', process: next, journal: [entry] }
}

function* emit(
  tx: StoreTransaction,
  lease: ProcessLease,
  entry: Omit<JournalEntry, 'value'>,
  request: AppendRequest,
): Operation<EmitResult> {
  const { processId: id } = lease
  const { replayKey, eventType } = request
  const [stored, recorded, waiters, now] = yield* together(
    requireProcess(tx, id),
    replayKey === undefined ? immediately(() => undefined) : tx.findEvent(id, replayKey),
    waitersFor(tx, id, eventType),
    tx.now(),
  )
  // An attempt that replays emits again what an earlier one has emitted: event and entry are there already.
  if (recorded !== undefined) return { type: 'replayed', event: recorded.event }
  if (entry.epoch !== stored.epoch) throw epochConflict(id, stored.epoch, entry.epoch)
  const decision = decideAppend(
    { record: stored.record },
    { ...request, processId: id },
    now,
    findSchemaProblem,
  )
  if (decision.type === 'replay') return { type: 'replayed', event: decision.event }
  const { event, stored: next } = yield* writeEvent(tx, stored, decision.stored, { ...request, waiters })
  yield* saveUnderLease(tx, next, lease, now)
  const journaled = { ...entry, value: { sequence: event.sequence } }
  yield* saveEntry(tx, lease, journaled, now)
  // The process has ended itself: the lease goes with it, its place and what it has reserved, as in every terminal write.
  if (isTerminal(next.record.status)) {
    yield* tx.saveLease(id, { fence: lease.fencingToken }, lease.fencingToken)
    // The queue's lock after the row's, for few emit their end: of two in each other's way one is tried again.
    yield* freePlace(tx, lease)
    yield* closeReservations(tx, yield* tx.loadBudget(id))
  }
  return { type: 'appended', event }
}
