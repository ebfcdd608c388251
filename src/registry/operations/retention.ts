import type { ProcessId } from '../../model/ids.ts'
import { requirePageLimit } from '../../model/list.ts'
import { compareBytes } from '../../model/order.ts'
import type { StoredProcess } from '../../model/process.ts'
import {
  decidePrune,
  type EndedPlace,
  type KeepReason,
  type PruneDecision,
  type PruneRequest,
  parsePruneRequest,
} from '../../model/retention.ts'
import { decideLeaveSession, ownSessions } from '../../model/session.ts'
import type { KeptProcess, PrunePage, PrunePlan, RetentionOperations } from '../registry.ts'
import type {
  EndedQuery,
  EndedRow,
  Operation,
  ProcessStore,
  StoreReader,
  StoreTransaction,
} from '../store.ts'
import { leaveNews } from './leave-news.ts'

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

    planPrune: async (request, page = {}) => {
      const parsed = parsePruneRequest(request)
      const limit = requirePageLimit(page.limit)
      return store.read(reader => planPage(reader, parsed, page.after ?? BEGINNING, limit))
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
  after: EndedPlace,
  limit: number,
): Operation<PrunePage> {
  const listed = yield* tx.listEnded(ended(request, after, limit))
  const now = yield* tx.now()
  const kept: KeptProcess[] = []
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
  return { prunedProcesses, prunedEvents, kept, ...placeAfter(listed, limit) }
}

/** The same decisions, of the moment at which it reads. */
function* planPage(
  reader: StoreReader,
  request: PruneRequest,
  after: EndedPlace,
  limit: number,
): Operation<PrunePlan> {
  const listed = yield* reader.listEnded(ended(request, after, limit))
  const now = yield* reader.now()
  const goes: ProcessId[] = []
  const kept: KeptProcess[] = []
  for (const row of listed) {
    const { decision } = yield* decide(reader, row, request, now)
    if (decision.type === 'prune') goes.push(row.id)
    if (decision.type === 'keep') kept.push({ id: row.id, reason: decision.reason })
  }
  return { goes, kept, ...placeAfter(listed, limit) }
}

const ended = (request: PruneRequest, after: EndedPlace, limit: number): EndedQuery => ({
  ...request,
  filter: { status: 'any', ...request.filter },
  after,
  limit,
})

function placeAfter(listed: readonly EndedRow[], limit: number): Pick<PrunePage, 'next'> {
  const last = listed.at(-1)
  if (last === undefined || listed.length < limit) return {}
  return { next: { updatedAtMs: last.updatedAtMs, id: last.id } }
}

function* decide(
  reader: StoreReader,
  { id, changeSeq }: EndedRow,
  request: PruneRequest,
  now: number,
): Operation<{ readonly stored: StoredProcess | undefined; readonly decision: PruneDecision }> {
  const stored = yield* reader.loadProcess(id)
  const lease = yield* reader.loadLease(id)
  const hasDueWake = yield* reader.hasDueWake(id)
  const isAwaited = yield* reader.isAwaited(id)
  const seen = { changeSeq, lease, hasDueWake, isAwaited }
  return { stored, decision: decidePrune(stored, request, seen, now) }
}

type Fate =
  | { readonly type: 'pruned'; readonly events: number }
  | { readonly type: 'kept'; readonly reason: KeepReason }
  | { readonly type: 'passed_over' }

function* prune(tx: StoreTransaction, row: EndedRow, request: PruneRequest, now: number): Operation<Fate> {
  const { id } = row
  const { stored, decision } = yield* decide(tx, row, request, now)
  if (decision.type === 'keep') return { type: 'kept', reason: decision.reason }
  if (decision.type === 'pass_over') return { type: 'passed_over' }
  const events = yield* tx.deleteProcess(id)
  if (events === undefined) return { type: 'passed_over' }
  for (const sessionId of Object.values(ownSessions(id))) yield* tx.deleteSession(sessionId)
  if (stored !== undefined) yield* leaveSessionOf(tx, stored, now)
  if (stored?.record.provenance.causedBy?.type === 'trigger_occurrence') yield* tx.deleteDelivery(id)
  yield* tx.insertTombstone(decision.tombstone)
  return { type: 'pruned', events }
}

/** A turn may end without its code, and leave its session open: once it is gone, nobody could tell that it is over. */
function* leaveSessionOf(tx: StoreTransaction, { record }: StoredProcess, now: number): Operation<void> {
  const { id, input } = record
  const sessionId = input.type === 'session_turn' ? input.createRequest.sessionId : undefined
  if (sessionId === undefined) return
  const left = decideLeaveSession(yield* tx.loadSession(sessionId), id, now)
  if (left === undefined) return
  yield* tx.saveSession(yield* leaveNews(tx, left, [record]), left.version - 1)
}
