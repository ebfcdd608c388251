import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessLease } from '../../model/lease.ts'
import { isCurrentLease, leaseLost } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import { entriesOf, isSameRow, requireChannel, requireOffset, type StreamRow } from '../../model/stream.ts'
import type { StreamOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { leaseGuard, requireProcess } from './shared.ts'

/** A row holds 64 KiB, or one larger delta: a page is what a reader takes at once. */
const PAGE_ROWS = 32
const ALL_ROWS = Number.MAX_SAFE_INTEGER

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
        const rows = yield* reader.listStreamRows(record.id, channel, from, PAGE_ROWS)
        return {
          entries: rows.flatMap(row => entriesOf(row, from)),
          isEnd: rows.length < PAGE_ROWS && isTerminal(record.status),
        }
      })
    },

    streamRows: async (id, channel) => {
      requireChannel(channel)
      return store.read(function* (reader) {
        const { record } = yield* requireProcess(reader, id)
        return yield* reader.listStreamRows(record.id, channel, 0, ALL_ROWS)
      })
    },
  }
}

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
