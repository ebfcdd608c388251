import { requireUnheld } from '../../model/completion.ts'
import { type AppendRequest, CANCEL_REQUESTED, decideAppend, type ProcessEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import { type WakeDelivery, wakeDeliveryOf } from '../../model/wake.ts'
import { findSchemaProblem } from '../json-schema.ts'
import { immediately, together } from '../operation.ts'
import type { AppendResult } from '../registry.ts'
import type { Operation, StoreTransaction } from '../store.ts'
import { closeReservations } from './budgets.ts'
import { dueUnlessHeld } from './due.ts'
import { tellQueue } from './flow.ts'
import { putWake } from './put-wake.ts'
import { repaired, requireProcess, writeEvent } from './shared.ts'
import { waitersFor } from './waiters.ts'

/** What an append writes, from any door. `isDue`: it made the row due, for a cancel or for a wait that it satisfies. */
export function* append(
  tx: StoreTransaction,
  id: string,
  request: AppendRequest,
): Operation<{ result: AppendResult; record: ProcessRecord; isDue: boolean }> {
  const processId = id as ProcessId
  const { replayKey, eventType } = request
  const [stored, withSameKey, waiters, now] = yield* together(
    requireProcess(tx, processId),
    replayKey === undefined ? immediately(() => undefined) : tx.findEvent(processId, replayKey),
    waitersFor(tx, processId, eventType),
    tx.now(),
  )
  const decision = decideAppend(
    { record: stored.record, ...(withSameKey === undefined ? {} : { withSameKey }) },
    { ...request, processId },
    now,
    findSchemaProblem,
  )
  if (decision.type === 'replay') {
    if (decision.isRepair) yield* repaired(tx, stored, decision.event)
    const result = yield* replayed(tx, stored, decision.event, request)
    return { result, record: stored.record, isDue: false }
  }
  if (decision.stored.event.semantics?.terminal !== undefined) {
    // Its producer declared that this event ends the process; still nobody ends it under a holder's feet.
    requireUnheld(processId, yield* tx.loadLease(processId), now)
  }
  const written = yield* writeEvent(tx, stored, decision.stored, { ...request, waiters })
  const { event, wakeDelivery } = written
  const isRequest = event.eventType === CANCEL_REQUESTED
  const { stored: next, isDue } = isRequest ? yield* dueUnlessHeld(tx, written.stored, now) : written
  yield* tx.saveProcess(next, { status: 'any' })
  const { turn } = stored.record
  if (turn !== undefined && next.record.turn === undefined) yield* tellQueue(tx, turn)
  if (event.semantics?.terminal !== undefined) yield* closeReservations(tx, yield* tx.loadBudget(processId))
  return { result: { type: 'appended', event, ...present(wakeDelivery) }, record: next.record, isDue }
}

/**
 * The original event. Its wake is said again, which is something new only for a session that was not told before: one
 * that was sent to another session meanwhile stays there.
 */
function* replayed(
  tx: StoreTransaction,
  { record }: StoredProcess,
  event: ProcessEvent,
  { wakeTargetScope }: AppendRequest,
): Operation<AppendResult> {
  const wakeDelivery = wakeDeliveryOf(record, event, wakeTargetScope)
  if (wakeDelivery !== undefined && (yield* tx.loadWake(wakeDelivery.wakeId)) === undefined) {
    yield* putWake(tx, wakeDelivery, yield* tx.now())
  }
  return { type: 'replayed', event, ...present(wakeDelivery) }
}

const present = (wakeDelivery: WakeDelivery | undefined): Pick<AppendResult, 'wakeDelivery'> =>
  wakeDelivery === undefined ? {} : { wakeDelivery }
