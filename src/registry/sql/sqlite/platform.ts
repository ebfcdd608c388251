import type { ChangeCursor, ProcessId } from '../../../model/ids.ts'
import { formatCursor, parseCursor } from '../../change-cursor.ts'
import { immediately } from '../../operation.ts'
import type { Operation, ProcessChange } from '../../store.ts'
import { fromChangeRow, processChanges, tombstoneChanges } from '../changes.ts'
import type { SqlPlatform, SqlSession } from '../session.ts'
import { type Named, prepare } from '../statement.ts'

/** Enough for many commits: each reservation writes the page that \`meta\` is on. */
const RESERVED = 512

/**
 * SQLite has one writer at a time, so a counter is enough to order the changes by commit: nobody sees a position before
 * all lower ones are committed. It stands in the meta table and not in the rows, so that a prune never sets it back.
 */
const reserveChanges = prepare((db, p: Named<{ count: number }>) =>
  db
    .updateTable('meta')
    .set(({ eb }) => ({ change_seq: eb('change_seq', '+', p.count) }))
    .returning('change_seq'),
)

/**
 * Positions that are reserved for this connection. What is left over when a transaction has committed serves the next ones
 * as long as nobody else commits: later reservations of others are above them, and their rows may have been read already.
 * What stays unused is never used: positions only have to grow.
 */
export class ChangeCounter {
  #next = 0
  #last = -1
  #isCommitted = false
  #version: unknown
  #changes: ProcessChange[] = []

  /** A transaction has the write lock. The version is the file's: it moves with every commit of another connection. */
  begin(version: unknown): void {
    if (!this.#isCommitted || version !== this.#version) this.reset()
    this.#isCommitted = false
    this.#version = version
    this.#changes = []
  }

  /** The reservation may have been rolled back: by another transaction's end, or with the member that made it. */
  reset(): void {
    this.#last = -1
  }

  committed(): void {
    this.#isCommitted = true
  }

  /** All that the transaction has changed, and perhaps what a member of it that was rolled back would have. */
  get changes(): readonly ProcessChange[] {
    return this.#changes
  }

  *take(session: SqlSession, change: ProcessChange): Operation<number> {
    this.#changes.push(change)
    if (this.#next > this.#last) {
      const [row] = yield* session.all(reserveChanges, { count: RESERVED })
      this.#last = row?.change_seq ?? 0
      this.#next = this.#last - RESERVED + 1
    }
    return this.#next++
  }
}

/** Not the counter, which is ahead of it by what is reserved. */
export const selectLatest = prepare(db => {
  const latestOf = (table: 'processes' | 'tombstones') =>
    db.selectFrom(table).select(({ fn }) => fn.max('change_seq').as('latest'))
  return db.selectNoFrom([
    latestOf('processes').as('of_processes'),
    latestOf('tombstones').as('of_tombstones'),
  ])
})

export const selectChanges = prepare((db, p: Named<{ position: number; limit: number }>) =>
  processChanges(db)
    .where('change_seq', '>', p.position)
    .unionAll(tombstoneChanges(db).where('change_seq', '>', p.position))
    .orderBy('change_seq')
    .limit(p.limit),
)

export interface SqlitePlatformOptions {
  readonly registryId: string
  readonly clock: () => number
  readonly changes: ChangeCounter
}

export const createSqlitePlatform = ({ registryId, clock, changes }: SqlitePlatformOptions): SqlPlatform => ({
  now: () => immediately(() => Math.floor(clock())),

  boundNow: () => Math.floor(clock()),

  nextChange: (session, change) => changes.take(session, change),

  // Nobody else writes meanwhile.
  lockQueue: () => immediately(() => {}),

  *listChanges(session: SqlSession, cursor: ChangeCursor, limit: number) {
    const position = parseCursor(registryId, cursor)
    const rows = yield* session.all(selectChanges, { position, limit })
    const last = rows.at(-1)
    const next = last === undefined ? cursor : formatCursor(registryId, last.change_seq)
    return { changes: rows.map(fromChangeRow), next }
  },

  // No process has a blank id, so this is behind all that have the position itself.
  positionOf: (_, cursor) =>
    immediately(() => ({ changeSeq: parseCursor(registryId, cursor) + 1, id: '' as ProcessId })),

  *latestChange(session: SqlSession): Operation<ChangeCursor> {
    const [row] = yield* session.all(selectLatest, {})
    return formatCursor(registryId, Math.max(row?.of_processes ?? 0, row?.of_tombstones ?? 0))
  },
})
