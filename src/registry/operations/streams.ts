import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { isCurrentLease, leaseLost } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import {
  decideLeftovers,
  entriesOf,
  isSameRow,
  requireChannel,
  requireOffset,
  type StreamRow,
} from '../../model/stream.ts'
import type { StreamOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { leaseGuard, requireProcess } from './shared.ts'

/** A row holds 64 KiB, or one larger delta: a page is what a reader takes at once. */
const PAGE_ROWS = 32

export function createStreamOperations(store: ProcessStore): StreamOperations {
  return {
    appendToStreams: async (lease, rows) => {
      for (const { channel } of rows) requireChannel(channel)
      return store.transaction(function* (tx) {
        const now = yield* tx.now()
        for (const row of rows) yield* saveRow(tx, lease, { ...row, fence: lease.fencingToken }, now)
      })
    },

    streamHeads: id =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listStreamHeads(record.id)
      }),

    readStream: async (id, channel, from) => {
      requireChannel(channel)
      requireOffset(from)
      return store.read(function* (reader) {
        // One snapshot: a process seen ended has written all that it will write.
        const { record } = yield* requireProcess(reader, id)
        const rows = yield* reader.listStreamRows(record.id, channel, from, PAGE_ROWS + 1)
        const hasMore = rows.length > PAGE_ROWS
        const entries = rows.slice(0, PAGE_ROWS).flatMap(row => entriesOf(row, from))
        return { entries, hasMore, isEnd: !hasMore && isTerminal(record.status) }
      })
    },

    streamLeftovers: (id, { epoch, isSettled }) =>
      store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        const heads = yield* reader.listStreamHeads(record.id)
        if (heads.length === 0) return []
        const outside = Map.groupBy(yield* reader.listOutsideRows(record.id, epoch), inChannel)
        const ofSteps = Map.groupBy(yield* reader.listStepSpans(record.id, epoch), inChannel)
        return heads.map(head => {
          const { channel } = head
          const remains = { outside: outside.get(channel) ?? [], ofSteps: ofSteps.get(channel) ?? [] }
          return decideLeftovers({ head, ...remains }, isSettled)
        })
      }),
  }
}

const inChannel = ({ channel }: { readonly channel: string }): string => channel

/** Lease and offset are compared by the saving statement itself. */
function* saveRow(tx: StoreTransaction, lease: ProcessLease, row: StreamRow, now: number): Operation<void> {
  if (row.processId === lease.processId && (yield* tx.insertStreamRow(row, leaseGuard(lease, now)))) return
  const current = yield* tx.loadLease(lease.processId)
  if (current === undefined || !isCurrentLease(current, lease, now) || row.processId !== lease.processId)
    throw leaseLost(lease, current, now)
  // The same again, after an answer that was lost.
  const [stored] = yield* tx.listStreamRows(row.processId, row.channel, row.from, 1)
  if (stored !== undefined && isSameRow(stored, row)) return
  throw new LeaseholdError(
    'internal',
    `Channel "${row.channel}" of process "${row.processId}" does not end at offset ${row.from}, where its writer goes on. The attempt is repeated, and finds where it ends.`,
    { processId: row.processId, details: { channel: row.channel, offset: row.from } },
  )
}
