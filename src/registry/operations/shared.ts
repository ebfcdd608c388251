import { alreadyTerminal } from '../../model/completion.ts'
import { type LeaseholdError, unknownProcess } from '../../model/errors.ts'
import {
  type AppendRequest,
  buildRegistryEvent,
  type ProcessEvent,
  projectEvent,
  RESERVED_EVENT_TYPES,
  type RegistryEvent,
  type StoredEvent,
} from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { isCurrentLease, leaseLost, type ProcessLease, type StoredLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import { noLongerRetained } from '../../model/retention.ts'
import { type WakeDelivery, wakeDeliveryOf } from '../../model/wake.ts'
import { together } from '../operation.ts'
import type { LeaseGuard, Operation, StoreReader, StoreTransaction, Waiter } from '../store.ts'
import { dueAt } from './due.ts'
import { withoutTurn } from './flow.ts'
import { putWake } from './put-wake.ts'
import { tellWaiters, withOwnWaitsMet } from './waiters.ts'

/** The row, locked where the store has row locks; or `process_unknown`. */
export function* requireProcess(reader: StoreReader, id: string): Operation<StoredProcess> {
  const stored = yield* reader.loadProcess(id as ProcessId)
  if (stored === undefined) throw yield* whyAbsent(reader, id)
  return stored
}

/** There is no row: because it was pruned, or because there never was one. */
export function* whyAbsent(reader: StoreReader, id: string): Operation<LeaseholdError> {
  const tombstone = yield* reader.loadTombstone(id as ProcessId)
  return tombstone === undefined ? unknownProcess(id) : noLongerRetained(tombstone)
}

/** For what is only worth writing while the row is there. An id that never had one is `process_unknown` all the same. */
export function* findUnlessPruned(reader: StoreReader, id: string): Operation<StoredProcess | undefined> {
  const stored = yield* reader.loadProcess(id as ProcessId)
  if (stored !== undefined || (yield* reader.loadTombstone(id as ProcessId)) !== undefined) return stored
  throw unknownProcess(id)
}

/** Writes an event of the registry's own; the row returned counts it and is still to be saved. */
export function* insertEvent(
  tx: StoreTransaction,
  stored: StoredProcess,
  request: RegistryEvent,
  now: number,
  waiters?: readonly Waiter[],
): Operation<WrittenEvent> {
  const built = buildRegistryEvent(stored.record, request, now)
  return yield* writeEvent(tx, stored, built, { ...request, waiters })
}

export interface WrittenEvent {
  readonly event: ProcessEvent
  /** The row as the event leaves it; still to be saved. */
  readonly stored: StoredProcess
  /** Put into the outbox, if the event wakes and there is somebody to wake. */
  readonly wakeDelivery?: WakeDelivery
  /** A wait of the row itself is satisfied by it, and whoever can submit should do so now. */
  readonly isDue: boolean
}

/** Writes an event whose rules the caller has applied. `waiters`: of `waitersFor`, where the caller has asked. */
export function* writeEvent(
  tx: StoreTransaction,
  stored: StoredProcess,
  built: StoredEvent,
  {
    wakeTargetScope,
    waiters,
  }: Pick<AppendRequest, 'wakeTargetScope'> & { readonly waiters?: readonly Waiter[] | undefined },
): Operation<WrittenEvent> {
  const { event } = built
  yield* tx.insertEvent(built)
  const wakeDelivery = wakeDeliveryOf(stored.record, event, wakeTargetScope)
  if (wakeDelivery !== undefined) yield* putWake(tx, wakeDelivery, event.occurredAtMs)
  yield* tellWaiters(tx, event, waiters)
  return {
    event,
    ...(yield* withOwnWaitsMet(tx, withEvent(stored, event), event)),
    ...(wakeDelivery === undefined ? {} : { wakeDelivery }),
  }
}

/** The row as the event leaves it. */
export function withEvent(stored: StoredProcess, event: ProcessEvent): StoredProcess {
  const next = { ...stored, record: projectEvent(stored.record, event) }
  if (event.semantics?.terminal === undefined) return next
  // A run of the backend that was told to wait would wait for ever: the sweep tells it.
  return dueAt(
    withoutTurn({ ...next, isAttemptOpen: false }),
    stored.isRunWaiting ? event.occurredAtMs : undefined,
  )
}

/**
 * The record of a process whose terminal event is in the log. A row that does not say so yet, because it was restored
 * or written by something else, is made to.
 */
export function* repaired(
  tx: StoreTransaction,
  stored: StoredProcess,
  terminal: ProcessEvent,
): Operation<ProcessRecord> {
  if (isTerminal(stored.record.status)) return stored.record
  const next = withEvent(stored, terminal)
  yield* tellWaiters(tx, terminal)
  yield* tx.saveProcess(next, { status: 'running' })
  return next.record
}

/**
 * The attempt that started a silent process is heard of again; the row is still to be saved. Anybody else who holds it,
 * to settle it, is not its owner: until the outcome is written, it stays silent.
 */
export function* withOwnerBack(
  tx: StoreTransaction,
  stored: StoredProcess,
  attempt: string,
  now: number,
): Operation<StoredProcess> {
  const { silentSinceMs, ...record } = stored.record
  if (silentSinceMs === undefined || record.firstStarted?.attempt !== attempt) return stored
  const request = { eventType: RESERVED_EVENT_TYPES.ownerBack, payload: { silentSinceMs } }
  return (yield* insertEvent(tx, { ...stored, record }, request, now)).stored
}

export const leaseGuard = (lease: ProcessLease, now?: number): LeaseGuard => ({
  token: lease.leaseToken,
  fence: lease.fencingToken,
  ...(now === undefined ? {} : { now }),
})

/** Saves under the lease; the statement's own guard refuses a superseded writer. */
export function* saveUnderLease(
  tx: StoreTransaction,
  stored: StoredProcess,
  lease: ProcessLease,
  now: number,
): Operation<void> {
  const isSaved = yield* tx.saveProcess(stored, { status: 'running', lease: leaseGuard(lease, now) })
  if (!isSaved) throw leaseLost(lease, yield* tx.loadLease(lease.processId), now)
}

/** The running row of a lease that is current and live; or `process_lease_lost`, or `process_already_terminal`. */
export function* requireHeld(
  tx: StoreTransaction,
  lease: ProcessLease,
): Operation<{ stored: StoredProcess; current: StoredLease; now: number }> {
  const { processId } = lease
  // The clock after the locks: whoever had to wait for them comes later.
  const [stored, current, now] = yield* together(
    requireProcess(tx, processId),
    tx.loadLease(processId),
    tx.now(),
  )
  if (current === undefined || !isCurrentLease(current, lease, now)) throw leaseLost(lease, current, now)
  // An ended row may be leased by the contract's claim, but no body begins under that.
  if (isTerminal(stored.record.status)) throw alreadyTerminal(stored.record)
  return { stored, current, now }
}
