import { v7 as uuidv7 } from 'uuid'
import { LeaseholdError } from '../../model/errors.ts'
import { requirePageLimit } from '../../model/list.ts'
import {
  decideClaimWake,
  decideFreeWake,
  decideRedriveWake,
  decideRetargetWake,
  decideSettleWake,
  demoteWake,
  isOpenWake,
  OUTBOX,
  promoteWake,
  type StoredWake,
  type WakeClaim,
} from '../../model/outbox.ts'
import { requireSessionScope } from '../../model/session-scope.ts'
import type { WakeDelivery } from '../../model/wake.ts'
import type { BlockedGroup, OutboxOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction, WakeGroup } from '../store.ts'
import { groupOf, putWake, saveIfChanged } from './put-wake.ts'
import { requireProcess } from './shared.ts'

export function createOutboxOperations(store: ProcessStore): OutboxOperations {
  return {
    claimWakes: ({ limit = OUTBOX.batch, worker } = {}) =>
      store.transaction(function* (tx) {
        const now = yield* tx.now()
        const claims: WakeClaim[] = []
        const expired: WakeDelivery[] = []
        for (const wake of yield* tx.listDueWakes(now, limit)) {
          const claimer = { claimToken: uuidv7(), claimedBy: worker?.incarnationId }
          const decision = decideClaimWake(wake, claimer, now)
          // Somebody else may have claimed it since it was listed.
          if (decision.type === 'not_due' || !(yield* tx.saveWake(decision.wake, wake.version))) continue
          if (decision.type === 'claimed') claims.push(decision.claim)
          else expired.push(wake.delivery)
        }
        return { claims, expired }
      }),

    settleWake: (claim, settlement) =>
      store.transaction(function* (tx) {
        const wake = yield* loadInGroup(tx, claim.delivery.wakeId)
        const now = yield* tx.now()
        const settled = decideSettleWake(wake, claim, settlement, now)
        if (settled.status === 'pending') return yield* saveInLine(tx, settled)
        yield* tx.saveWake(settled, settled.version - 1)
        if (!isOpenWake(settled)) yield* promoteHead(tx, groupOf(settled.delivery), now)
      }),

    redriveWake: wakeId =>
      store.transaction(function* (tx) {
        const wake = yield* loadInGroup(tx, wakeId)
        yield* saveInLine(tx, decideRedriveWake(wake, wakeId, yield* tx.now()))
      }),

    retargetWakes: async (id, fromSessionId, to) => {
      const target = requireSessionScope(to)
      if (target.sessionId === fromSessionId) {
        throw new LeaseholdError(
          'usage',
          `The wakes of process "${id}" go to session "${fromSessionId}" already. Name another session.`,
          { processId: id },
        )
      }
      return store.transaction(function* (tx) {
        const { record } = yield* requireProcess(tx, id)
        return yield* retarget(tx, { sessionId: fromSessionId, processId: record.id }, target)
      })
    },

    blockedGroups: (page = {}) => {
      const limit = requirePageLimit(page.limit)
      return store.read(function* (reader) {
        const groups: BlockedGroup[] = []
        for (const { delivery, discarded } of yield* reader.listBlockedWakes(page.after ?? '', limit)) {
          if (discarded === undefined) continue
          const group = groupOf(delivery)
          const waiting = (yield* reader.countOpenWakes(group)) - 1
          groups.push({ ...group, wakeId: delivery.wakeId, ...discarded, waiting })
        }
        return groups
      })
    },

    wakesOf: (id, limit = 1_000) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listWakesOf(record.id, limit)
      }),

    msUntilWakeDue: () =>
      store.read(function* (reader) {
        const dueAtMs = yield* reader.nextWakeDue()
        return dueAtMs === undefined ? undefined : Math.max(0, dueAtMs - (yield* reader.now()))
      }),
  }
}

/** Frees what a worker that is proven dead was handing over. */
export function* freeWakesOfWorker(tx: StoreTransaction, worker: string): Operation<void> {
  for (const { delivery } of yield* tx.listWakesClaimedBy(worker)) {
    const wake = yield* loadInGroup(tx, delivery.wakeId)
    const freed = decideFreeWake(wake, worker, yield* tx.now())
    if (freed !== undefined) yield* saveInLine(tx, freed)
  }
}

/** A wake that is to be tried again: at its time, unless an earlier one has come before it meanwhile. */
function* saveInLine(tx: StoreTransaction, wake: StoredWake): Operation<void> {
  const [head] = yield* tx.listOpenWakes(groupOf(wake.delivery), 1)
  const isHead = head?.delivery.wakeId === wake.delivery.wakeId
  yield* tx.saveWake(isHead ? wake : demoteWake(wake), wake.version - 1)
}

/**
 * Locks the wake's process before it reads the wake: a group changes only under that lock, so a wake that is added
 * while the head leaves becomes the head by one of the two.
 */
function* loadInGroup(tx: StoreTransaction, wakeId: string): Operation<StoredWake | undefined> {
  const found = yield* tx.loadWake(wakeId)
  if (found === undefined) return undefined
  yield* tx.loadProcess(found.delivery.processId)
  return yield* tx.loadWake(wakeId)
}

function* promoteHead(tx: StoreTransaction, group: WakeGroup, now: number): Operation<void> {
  const [head] = yield* tx.listOpenWakes(group, 1)
  if (head !== undefined) yield* saveIfChanged(tx, promoteWake(head, now), head)
}

function* retarget(
  tx: StoreTransaction,
  group: WakeGroup,
  target: Parameters<typeof decideRetargetWake>[1],
): Operation<number> {
  const now = yield* tx.now()
  let moved = 0
  // The head may be in somebody's hands and stay; all others leave, batch by batch.
  while (true) {
    const open = yield* tx.listOpenWakes(group, OUTBOX.batch)
    const movable = open.filter(({ status }) => status !== 'enqueuing')
    if (movable.length === 0) return moved
    for (const wake of movable) {
      const decision = decideRetargetWake(wake, target, now)
      if (decision === undefined || !(yield* tx.saveWake(decision.wake, wake.version))) continue
      yield* putWake(tx, decision.delivery, now)
      moved += 1
    }
  }
}
