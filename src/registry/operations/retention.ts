import type { ProcessId } from '../../model/ids.ts'
import { requirePageLimit } from '../../model/list.ts'
import { compareBytes } from '../../model/order.ts'
import type { StoredProcess } from '../../model/process.ts'
import { decidePrune, type KeepReason, type PruneRequest, parsePruneRequest } from '../../model/retention.ts'
import { decideCloseSession, ownSessions } from '../../model/session.ts'
import type { PrunePage, RetentionOperations } from '../registry.ts'
import type { EndedRow, Operation, ProcessStore, StoreTransaction } from '../store.ts'

/** Behind no process at all. */
const BEGINNING = { updatedAtMs: -1, id: '' }

export function createRetentionOperations(store: ProcessStore): RetentionOperations {
  return {
    prune: async (request, page = {}) => {
      const parsed = parsePruneRequest(request)
      const limit = requirePageLimit(page.limit)
      return store.transaction(function* (tx) {
        // A rate whose next begin lies behind is as good as none.
        if (page.after === undefined) yield* tx.deleteRates(yield* tx.now())
        return yield* prunePage(tx, parsed, page.after ?? BEGINNING, limit)
      })
    },

    now: () => store.read(reader => reader.now()),

    tombstone: id => store.read(reader => reader.loadTombstone(id as ProcessId)),

    compactTombstones: async (before, limit) => {
      const atMost = requirePageLimit(limit)
      return store.transaction(function* (tx) {
        yield* tx.deleteSessionTombstones(before)
        yield* tx.deleteOccurrences(before)
        return yield* tx.deleteTombstones(before, atMost)
      })
    },
  }
}

function* prunePage(
  tx: StoreTransaction,
  request: PruneRequest,
  after: NonNullable<PrunePage['next']>,
  limit: number,
): Operation<PrunePage> {
  const filter = { status: 'any', ...request.filter } as const
  const listed = yield* tx.listEnded({ ...request, filter, after, limit })
  const now = yield* tx.now()
  const kept: { id: ProcessId; reason: KeepReason }[] = []
  let prunedProcesses = 0
  let prunedEvents = 0
  // Locked in the order in which everybody locks several rows, whatever their age.
  for (const row of listed.toSorted((left, right) => compareBytes(left.id, right.id))) {
    const fate = yield* prune(tx, row, request, now)
    if (fate.type === 'kept') kept.push({ id: row.id, reason: fate.reason })
    if (fate.type !== 'pruned') continue
    prunedProcesses += 1
    prunedEvents += fate.events
  }
  const last = listed.at(-1)
  const report = { prunedProcesses, prunedEvents, kept }
  if (last === undefined || listed.length < limit) return report
  return { ...report, next: { updatedAtMs: last.updatedAtMs, id: last.id } }
}

type Fate =
  | { readonly type: 'pruned'; readonly events: number }
  | { readonly type: 'kept'; readonly reason: KeepReason }
  | { readonly type: 'passed_over' }

function* prune(
  tx: StoreTransaction,
  { id, changeSeq }: EndedRow,
  request: PruneRequest,
  now: number,
): Operation<Fate> {
  const stored = yield* tx.loadProcess(id)
  const lease = yield* tx.loadLease(id)
  const hasDueWake = yield* tx.hasDueWake(id)
  const isAwaited = yield* tx.isAwaited(id)
  const decision = decidePrune(stored, request, { changeSeq, lease, hasDueWake, isAwaited }, now)
  if (decision.type === 'keep') return { type: 'kept', reason: decision.reason }
  if (decision.type === 'pass_over') return { type: 'passed_over' }
  const events = yield* tx.deleteProcess(id)
  if (events === undefined) return { type: 'passed_over' }
  for (const sessionId of Object.values(ownSessions(id))) yield* tx.deleteSession(sessionId)
  if (stored !== undefined) yield* closeSessionOf(tx, stored, now)
  if (stored?.record.provenance.causedBy?.type === 'trigger_occurrence') yield* tx.deleteDelivery(id)
  yield* tx.insertTombstone(decision.tombstone)
  return { type: 'pruned', events }
}

/** A turn may end without its code, and leave its session open: once it is gone, nobody could tell that it is over. */
function* closeSessionOf(
  tx: StoreTransaction,
  { record: { id, input } }: StoredProcess,
  now: number,
): Operation<void> {
  const sessionId = input.type === 'session_turn' ? input.createRequest.sessionId : undefined
  if (sessionId === undefined) return
  const closed = decideCloseSession(yield* tx.loadSession(sessionId), id, now)
  if (closed !== undefined) yield* tx.saveSession(closed, closed.version - 1)
}
