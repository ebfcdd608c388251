import { DUE } from '../../model/due.ts'
import { unknownProcess } from '../../model/errors.ts'
import {
  type AppendRequest,
  buildEvent,
  type ProcessEvent,
  projectEvent,
  RESERVED_EVENT_TYPES,
} from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { isLive, leaseLost, type ProcessLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import type { LeaseGuard, Operation, StoreReader, StoreTransaction } from '../store.ts'

/** The row, locked where the store has row locks; or `process_unknown`. */
export function* requireProcess(reader: StoreReader, id: string): Operation<StoredProcess> {
  const stored = yield* reader.loadProcess(id as ProcessId)
  if (stored === undefined) throw unknownProcess(id)
  return stored
}

/** A change of the record: what is given, and the time of it. */
export const changed = (
  stored: StoredProcess,
  patch: Partial<ProcessRecord>,
  now: number,
): StoredProcess => ({
  ...stored,
  record: { ...stored.record, ...patch, updatedAtMs: now },
})

/** Sets or clears the due time. */
export function dueAt(stored: StoredProcess, dueAtMs: number | undefined): StoredProcess {
  const { dueAtMs: _, ...rest } = stored
  return dueAtMs === undefined ? rest : { ...rest, dueAtMs }
}

/** Inserts the event whose rules the caller has applied; the row returned counts it and is still to be saved. */
export function* insertEvent(
  tx: StoreTransaction,
  stored: StoredProcess,
  request: AppendRequest,
  now: number,
): Operation<{ event: ProcessEvent; stored: StoredProcess }> {
  const built = buildEvent(stored.record, request, now)
  yield* tx.insertEvent(built)
  return { event: built.event, stored: changed(stored, projectEvent(stored.record, built.event), now) }
}

/** A request that somebody must act on: due now, unless a live holder already watches for it. Still to be saved. */
export function* dueUnlessHeld(
  reader: StoreReader,
  stored: StoredProcess,
  now: number,
): Operation<{ stored: StoredProcess; isDue: boolean }> {
  const holder = (yield* reader.loadLease(stored.record.id))?.holder
  if (isTerminal(stored.record.status)) return { stored, isDue: false }
  if (!isLive(holder, now)) return { stored: dueAt(stored, now), isDue: true }
  // External work has no due time of its own: the request must come up when the lease in its way has lapsed.
  return { stored: dueAt(stored, stored.dueAtMs ?? DUE.afterLease(holder.expiresAtMs)), isDue: false }
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

export const leaseGuard = (lease: ProcessLease, now: number): LeaseGuard => ({
  token: lease.leaseToken,
  fence: lease.fencingToken,
  now,
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
