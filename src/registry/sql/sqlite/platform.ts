import type { ChangeCursor, ProcessId } from '../../../model/ids.ts'
import { formatCursor, parseCursor } from '../../change-cursor.ts'
import { immediately } from '../../operation.ts'
import type { Operation, ProcessChange } from '../../store.ts'
import { fromChangeRow, processChanges, tombstoneChanges } from '../changes.ts'
import type { SqlPlatform, SqlSession } from '../session.ts'
import { type Named, prepare } from '../statement.ts'

/** As many as a usual group commit needs: one statement for all of its members. */
const RESERVED = 64

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

/** The positions that one transaction has reserved. What it leaves unused is never used: they only have to grow. */
export class ChangeCounter {
  #next = 0
  #last = -1
  #changes: ProcessChange[] = []

  /** A transaction begins. */
  begin(): void {
    this.reset()
    this.#changes = []
  }

  /** The reservation may have been rolled back: by another transaction's end, or with the member that made it. */
  reset(): void {
    this.#last = -1
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

const selectLatest = prepare(db => db.selectFrom('meta').select('change_seq'))

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
    return formatCursor(registryId, row?.change_seq ?? 0)
  },
})
