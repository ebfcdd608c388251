import type { ProcessEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { compareBytes } from '../../model/order.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { signalEventType } from '../../model/signal.ts'
import {
  awaitedKeysOf,
  awaitedKeysOfType,
  awaitedProcess,
  callKey,
  satisfyCallWaits,
  satisfyWaits,
  type WaitState,
} from '../../model/wait.ts'
import type { Operation, StoreReader, StoreTransaction, Waiter } from '../store.ts'
import { changed, dueUnlessHeld } from './due.ts'

/**
 * Locks the rows that the waits depend on, before the waiter's own. A write on one of them locks that first and its
 * waiters after; so either it comes before the wait is checked, or it finds the wait. Always in the same order, so that
 * two who wait for the same rows do not stand in each other's way.
 */
export function* lockAwaited(tx: StoreTransaction, id: string, waits: readonly WaitState[]): Operation<void> {
  const awaited = new Set(waits.flatMap(wait => awaitedProcess(wait) ?? []))
  for (const { on } of waits) {
    const call = on.type === 'external_key' ? yield* tx.loadPendingCall(on.key) : undefined
    if (call !== undefined) awaited.add(call.processId)
  }
  awaited.delete(id)
  for (const other of [...awaited].sort(compareBytes)) yield* tx.loadProcess(other as ProcessId)
}

/** Is what the wait is for there already? Its rows are locked, by `lockAwaited` and by the waiter's own. */
export function* isSatisfied(reader: StoreReader, id: ProcessId, { on }: WaitState): Operation<boolean> {
  switch (on.type) {
    case 'signal':
      return (yield* reader.findSignal(id, signalEventType(on.name))) !== undefined
    case 'process': {
      const awaited = yield* reader.loadProcess(on.processId as ProcessId)
      // A process that is not there will not end: whoever waits has to find that out.
      return awaited === undefined || isTerminal(awaited.record.status)
    }
    case 'event': {
      const awaited = on.processId as ProcessId
      if ((yield* reader.loadProcess(awaited)) === undefined) return true
      return (yield* reader.findEventOfType(awaited, on.eventType, on.after)) !== undefined
    }
    case 'unknown_step': {
      const epoch = (yield* reader.loadProcess(id))?.epoch ?? 0
      const entry = yield* reader.loadJournalEntry(id, epoch, on.step)
      return entry !== undefined && entry.status !== 'claimed' && entry.status !== 'unknown'
    }
    case 'external_key':
      return (yield* reader.loadPendingCall(on.key))?.answer !== undefined
    default:
      return false
  }
}

/** The row's own waits that its event satisfies, and the row due for it. Still to be saved. */
export function* withOwnWaitsMet(
  tx: StoreTransaction,
  stored: StoredProcess,
  event: ProcessEvent,
): Operation<{ stored: StoredProcess; isDue: boolean }> {
  const { id, waits } = stored.record
  const met = satisfyWaits(waits, id, event)
  if (met === waits) return { stored, isDue: false }
  return yield* dueForWait(tx, changed(stored, { waits: met }, event.occurredAtMs), event.occurredAtMs)
}

/**
 * Who may wait for an event of this type. To be asked behind the lock of the process's row (see `lockAwaited`), and with
 * it, so that the answer is there when the event is written.
 */
export const waitersFor = (reader: StoreReader, id: string, eventType: string): Operation<Waiter[]> =>
  // Asked before the type is known to be one: what is no text is in no store.
  reader.listWaiters(awaitedKeysOfType(id, eventType).filter(key => key.isWellFormed()))

/** Makes due whoever waits for this event elsewhere, or for the end that it is. `waiters`: if they are known already. */
export function* tellWaiters(
  tx: StoreTransaction,
  event: ProcessEvent,
  waiters?: readonly Waiter[],
): Operation<void> {
  const { processId, occurredAtMs } = event
  const keys = awaitedKeysOf(event)
  for (const id of waitingOnes(waiters ?? (yield* tx.listWaiters(keys)), keys)) {
    // The row of the event is in its writer's hands, who saves it.
    if (id === processId) continue
    const waiter = yield* tx.loadProcess(id)
    if (waiter === undefined || isTerminal(waiter.record.status)) continue
    const waits = satisfyWaits(waiter.record.waits, id, event)
    if (waits === waiter.record.waits) continue
    const { stored } = yield* dueForWait(tx, changed(waiter, { waits }, occurredAtMs), occurredAtMs)
    yield* tx.saveProcess(stored, { status: 'running' })
  }
}

/** Each once, in the order in which all lock them. */
const waitingOnes = (waiters: readonly Waiter[], keys: readonly string[]): readonly ProcessId[] =>
  [...new Set(waiters.filter(({ key }) => keys.includes(key)).map(({ id }) => id))].sort(compareBytes)

/** The row with its waits for this call's answer marked, and due for them. Still to be saved. */
export function* withCallAnswered(
  tx: StoreTransaction,
  stored: StoredProcess,
  key: string,
  now: number,
): Operation<{ stored: StoredProcess; isDue: boolean }> {
  const { waits } = stored.record
  const met = satisfyCallWaits(waits, key, now)
  // Also where nobody waits yet: the running code looks again when its row changes.
  if (met === waits) return { stored: changed(stored, {}, now), isDue: false }
  return yield* dueForWait(tx, changed(stored, { waits: met }, now), now)
}

/** Makes due whoever else waits for this call's answer. */
export function* tellCallWaiters(
  tx: StoreTransaction,
  call: { readonly key: string; readonly processId: ProcessId },
  now: number,
): Operation<void> {
  const keys = [callKey(call.key)]
  for (const id of waitingOnes(yield* tx.listWaiters(keys), keys)) {
    if (id === call.processId) continue
    const waiter = yield* tx.loadProcess(id)
    if (waiter === undefined || isTerminal(waiter.record.status)) continue
    const { stored } = yield* withCallAnswered(tx, waiter, call.key, now)
    yield* tx.saveProcess(stored, { status: 'running' })
  }
}

/** Nobody here runs what somebody else owns, with or without a wait. */
export function* dueForWait(
  tx: StoreTransaction,
  stored: StoredProcess,
  now: number,
): Operation<{ stored: StoredProcess; isDue: boolean }> {
  if (stored.record.disposition === 'externally_owned') return { stored, isDue: false }
  return yield* dueUnlessHeld(tx, stored, now)
}
