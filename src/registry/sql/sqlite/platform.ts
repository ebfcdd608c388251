import type { ChangeCursor, ProcessId } from '../../../model/ids.ts'
import { formatCursor, parseCursor } from '../../change-cursor.ts'
import { immediately } from '../../operation.ts'
import type { Operation } from '../../store.ts'
import { fromChangeRow, processChanges, tombstoneChanges } from '../changes.ts'
import type { SqlPlatform, SqlSession } from '../session.ts'
import { type Named, prepare } from '../statement.ts'

/**
 * SQLite has one writer at a time, so a counter is enough to order the changes by commit: nobody sees a position before
 * all lower ones are committed. It stands in the meta table and not in the rows, so that a prune never sets it back.
 */
const bumpChange = prepare(db =>
  db
    .updateTable('meta')
    .set(({ eb }) => ({ change_seq: eb('change_seq', '+', 1) }))
    .returning('change_seq'),
)

const selectLatest = prepare(db => db.selectFrom('meta').select('change_seq'))

export const selectChanges = prepare((db, p: Named<{ position: number; limit: number }>) =>
  processChanges(db)
    .where('change_seq', '>', p.position)
    .unionAll(tombstoneChanges(db).where('change_seq', '>', p.position))
    .orderBy('change_seq')
    .limit(p.limit),
)

export const createSqlitePlatform = (registryId: string, clock: () => number): SqlPlatform => ({
  now: () => immediately(() => Math.floor(clock())),

  *nextChange(session) {
    const [row] = yield* session.all(bumpChange, {})
    return row?.change_seq ?? 0
  },

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
