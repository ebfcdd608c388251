import { RESERVED_EVENT_TYPES } from '../../model/event.ts'
import {
  decideSessionDeletion,
  type HandleGrant,
  newGrant,
  notGranted,
  transferred,
} from '../../model/grant.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import { compareBytes } from '../../model/order.ts'
import type { StoredProcess } from '../../model/process.ts'
import { requireSessionScope, type SessionScope, scopeId } from '../../model/session-scope.ts'
import type { GrantOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { insertEvent, requireProcess } from './shared.ts'

/** A grant is no part of the record: none of these changes a row, but for the wake target of a deleted session. */
export function createGrantOperations(store: ProcessStore): GrantOperations {
  return {
    grant: (scope, id, descriptor) =>
      store.transaction(function* (tx) {
        const { record } = yield* requireProcess(tx, id)
        const grant = newGrant(scope, record.id, descriptor)
        yield* tx.saveGrant(grant)
        return grant
      }),

    revoke: (scope, id) =>
      store.transaction(tx => tx.deleteGrant(scopeId(requireSessionScope(scope)), id as ProcessId)),

    transferGrants: (ids, { from, to }) => store.transaction(tx => transfer(tx, ids, from, to)),

    listGrants: scope =>
      store.read(reader => reader.listGrants(scopeId(requireSessionScope(scope)), { isLive: false })),

    listLiveGrants: scope =>
      store.read(reader => reader.listGrants(scopeId(requireSessionScope(scope)), { isLive: true })),

    hasGrant: (scope, id) =>
      store.read(function* (reader) {
        const grant = yield* reader.loadGrant(scopeId(requireSessionScope(scope)), id as ProcessId)
        return grant !== undefined
      }),

    grantsForProcess: id =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listGrantsOfProcess(record.id)
      }),

    deleteSessionState: sessionId =>
      store.transaction(function* (tx) {
        requireSessionScope({ sessionId })
        const granted = yield* tx.listGrantedIds(sessionId)
        const waking = yield* tx.listWakingIds(sessionId)
        const fates: Record<'orphaned' | 'preserved', ProcessId[]> = { orphaned: [], preserved: [] }
        let revokedHandleCount = 0
        for (const id of inLockOrder([...granted, ...waking])) {
          const stored = yield* tx.loadProcess(id)
          if (stored === undefined) continue
          // Read again under the row's lock: another session that is deleted at once may have taken its grant away.
          const grants = yield* tx.listGrantsOfProcess(id)
          const { revoked, isWakeTargetGone, fate } = decideSessionDeletion(stored.record, grants, sessionId)
          for (const grant of revoked) yield* tx.deleteGrant(grant.scopeId, id)
          if (isWakeTargetGone) yield* clearWakeTarget(tx, stored)
          revokedHandleCount += revoked.length
          if (fate !== undefined) fates[fate].push(id)
        }
        return {
          sessionId,
          revokedHandleCount,
          deletedWakeCount: 0,
          orphanedProcessIds: fates.orphaned,
          preservedProcessIds: fates.preserved,
        }
      }),
  }
}

function* transfer(
  tx: StoreTransaction,
  ids: readonly string[],
  from: SessionScope,
  to: SessionScope,
): Operation<HandleGrant[]> {
  const giver = requireSessionScope(from)
  const grants: HandleGrant[] = []
  for (const id of inLockOrder(ids)) {
    const { record } = yield* requireProcess(tx, id)
    const grant = yield* tx.loadGrant(scopeId(giver), record.id)
    if (grant === undefined) throw notGranted(id, giver)
    grants.push(grant)
  }
  const moved = grants.map(grant => transferred(grant, to))
  // All away before all arrive: giver and taker may be the same.
  for (const grant of grants) yield* tx.deleteGrant(grant.scopeId, grant.processId)
  for (const grant of moved) yield* tx.saveGrant(grant)
  return moved
}

/** Rows are locked in the order of their ids, each once, so that two transactions never wait for each other. */
const inLockOrder = <Id extends string>(ids: readonly Id[]): Id[] => [...new Set(ids)].sort(compareBytes)

function* clearWakeTarget(tx: StoreTransaction, stored: StoredProcess): Operation<void> {
  const { wakeTarget, ...record } = stored.record
  const now = yield* tx.now()
  const request = {
    eventType: RESERVED_EVENT_TYPES.wakeTargetCleared,
    payload: asJson({ wakeTarget }),
  }
  const { stored: next } = yield* insertEvent(tx, { ...stored, record }, request, now)
  yield* tx.saveProcess(next, { status: 'any' })
}
