import type { ProcessId } from '../../model/ids.ts'
import { fitsFilter } from '../../model/list.ts'
import { compareBytes } from '../../model/order.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { EndedPlace, Tombstone } from '../../model/retention.ts'
import { awaitedProcess } from '../../model/wait.ts'
import { parseCursor } from '../change-cursor.ts'
import { immediately } from '../operation.ts'
import type { StoreReader, StoreTransaction } from '../store.ts'
import { frozenCopy } from './frozen.ts'
import type { MemoryState } from './state.ts'
import type { TransactionalMap } from './transactional-map.ts'

type RetentionReader = Pick<StoreReader, 'listEnded' | 'hasDueWake' | 'isAwaited' | 'loadTombstone'>

export function createRetentionReader(state: MemoryState, registryId: string): RetentionReader {
  return {
    listEnded: ({ before, filter, upTo, after, limit }) =>
      immediately(() => {
        const watermark = upTo === undefined ? Number.POSITIVE_INFINITY : parseCursor(registryId, upTo)
        return state.processes
          .values()
          .map(({ record }) => record)
          .filter(record => isTerminal(record.status) && record.updatedAtMs < before)
          .filter(record => fitsFilter(record, filter) && record.changeSeq <= watermark)
          .filter(record => compareAge(record, after) > 0)
          .sort(compareAge)
          .slice(0, limit)
          .map(({ id, updatedAtMs, changeSeq }) => ({ id, updatedAtMs, changeSeq }))
      }),
    hasDueWake: id =>
      immediately(() =>
        state.wakes
          .values()
          .some(({ delivery, dueAtMs }) => delivery.processId === id && dueAtMs !== undefined),
      ),
    isAwaited: id =>
      immediately(() =>
        state.processes.values().some(({ record }) => record.waits.some(wait => awaitedProcess(wait) === id)),
      ),
    loadTombstone: id => immediately(() => tombstoneOf(state, id)),
  }
}

type RetentionWriter = Pick<
  StoreTransaction,
  'deleteProcess' | 'insertTombstone' | 'deleteTombstone' | 'deleteTombstones'
>

export function createRetentionWriter(state: MemoryState): RetentionWriter {
  return {
    deleteProcess: id =>
      immediately(() => {
        const stored = state.processes.get(id)
        if (stored === undefined || !isTerminal(stored.record.status)) return undefined
        const events = state.events.get(id)?.length ?? 0
        for (const map of [
          state.events,
          state.unackedWakes,
          state.unconsumedSignals,
          state.leases,
          state.budgets,
          state.processBlobs,
        ])
          map.delete(id)
        deleteWhere(state.journal, entry => entry.processId === id)
        deleteWhere(state.wakes, wake => wake.delivery.processId === id)
        deleteWhere(state.pendingCalls, call => call.processId === id)
        deleteWhere(state.grants, grant => grant.processId === id)
        deleteWhere(state.streams, rows => rows[0]?.processId === id)
        state.processes.delete(id)
        return events
      }),
    insertTombstone: tombstone =>
      immediately(() => {
        state.changeSeq += 1
        state.tombstones.set(tombstone.id, frozenCopy({ ...tombstone, changeSeq: state.changeSeq }))
      }),
    deleteTombstone: id => immediately(() => state.tombstones.delete(id)),
    deleteTombstones: (before, limit) =>
      immediately(() => {
        const oldest = state.tombstones
          .values()
          .filter(({ prunedAtMs }) => prunedAtMs < before)
          .sort((left, right) => left.prunedAtMs - right.prunedAtMs || compareBytes(left.id, right.id))
          .slice(0, limit)
        for (const { id } of oldest) state.tombstones.delete(id)
        return oldest.length
      }),
  }
}

const compareAge = (left: EndedPlace, right: EndedPlace): number =>
  left.updatedAtMs - right.updatedAtMs || compareBytes(left.id, right.id)

function tombstoneOf(state: MemoryState, id: ProcessId): Tombstone | undefined {
  const found = state.tombstones.get(id)
  if (found === undefined) return undefined
  const { changeSeq: _, ...tombstone } = found
  return tombstone
}

function deleteWhere<Value>(map: TransactionalMap<string, Value>, isMeant: (value: Value) => boolean): void {
  for (const [key, value] of map.entries()) if (isMeant(value)) map.delete(key)
}
