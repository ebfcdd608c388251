import { DUE } from '../../model/due.ts'
import { isLive } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import type { Operation, StoreReader } from '../store.ts'

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
