import { decideReviveWake, demoteWake, newWake, type StoredWake } from '../../model/outbox.ts'
import type { WakeDelivery } from '../../model/wake.ts'
import type { Operation, StoreTransaction, WakeGroup } from '../store.ts'

/** Puts a wake into the outbox, in the transaction of its event: neither is without the other. */
export function* putWake(tx: StoreTransaction, delivery: WakeDelivery, now: number): Operation<void> {
  const [head] = yield* tx.listOpenWakes(groupOf(delivery), 1)
  // Not the last of its group where an old event is said again to another session.
  const isHead = head === undefined || head.delivery.sequence > delivery.sequence
  const isInserted = yield* tx.insertWake(newWake(delivery, isHead, now))
  if (!isInserted && !(yield* revive(tx, delivery.wakeId, isHead, now))) return
  if (isHead && head !== undefined) yield* saveIfChanged(tx, demoteWake(head), head)
}

function* revive(tx: StoreTransaction, wakeId: string, isHead: boolean, now: number): Operation<boolean> {
  const known = yield* tx.loadWake(wakeId)
  const revived = known && decideReviveWake(known, isHead, now)
  return known !== undefined && revived !== undefined && (yield* tx.saveWake(revived, known.version))
}

export function* saveIfChanged(tx: StoreTransaction, next: StoredWake, wake: StoredWake): Operation<void> {
  if (next !== wake) yield* tx.saveWake(next, wake.version)
}

export const groupOf = ({ targetSessionId, processId }: WakeDelivery): WakeGroup => ({
  sessionId: targetSessionId,
  processId,
})
