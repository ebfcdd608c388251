import { type Kysely, sql } from 'kysely'
import type { ChangeCursor, ProcessId } from '../../../model/ids.ts'
import { immediately } from '../../operation.ts'
import type { Operation } from '../../store.ts'
import { fromChangeRow, processChanges, tombstoneChanges } from '../changes.ts'
import type { Schema } from '../schema.ts'
import type { SqlPlatform, SqlSession } from '../session.ts'
import { type Named, prepare } from '../statement.ts'
import { clockMs } from './clock.ts'
import type { HeldBackWatch } from './held-back.ts'
import { BEGINNING, type ChangePosition, formatPosition, parsePosition } from './position.ts'

/** `now()` would be the transaction's start, before it waited for its locks: a lapsed lease would look alive. */
const selectClock = prepare(db => db.selectNoFrom(clockMs.as('now')))

/**
 * Not a row's lock: the queue of a key has none. Two texts of one number only wait for each other. Asked for and answered
 * before the next statement, which then sees what the one before has committed.
 */
const lockText = prepare((db, p: Named<{ text: string }>) =>
  db.selectNoFrom(
    sql<string>`pg_advisory_xact_lock(hashtextextended(${p.text}::text, 0))::text`.as('locked'),
  ),
)

/** The WAL's own timeline is part of it: after a point-in-time recovery the cluster gives the same numbers again. */
const selectWatermark = prepare(db =>
  db.selectFrom('meta').select([
    sql<number>`pg_snapshot_xmin(pg_current_snapshot())::text::bigint`.as('watermark'),
    sql<string>`(select system_identifier from pg_control_system())
      || '-' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '-' || restores`.as('timeline'),
  ]),
)

interface PageBindings {
  readonly xid: number
  readonly id: ProcessId
  readonly watermark: number
  readonly limit: number
}

/** The feed is two tables. Each gives its own first rows, by its index: a sort of both would read all that is behind. */
export const selectChanges = prepare((db, p: Named<PageBindings>) => {
  const processes = processChanges(db)
    .where(({ eb, refTuple, tuple }) => eb(refTuple('change_seq', 'id'), '>', tuple(p.xid, p.id)))
    .where('change_seq', '<', p.watermark)
    .orderBy('change_seq')
    .orderBy('id')
    .limit(p.limit)
  const tombstones = tombstoneChanges(db)
    .where(({ eb, refTuple, tuple }) => eb(refTuple('change_seq', 'id'), '>', tuple(p.xid, p.id)))
    .where('change_seq', '<', p.watermark)
    .orderBy('change_seq')
    .orderBy('id')
    .limit(p.limit)
  return db
    .selectFrom(processes.as('process'))
    .selectAll()
    .unionAll(db.selectFrom(tombstones.as('tombstone')).selectAll())
    .orderBy('change_seq')
    .orderBy('id')
    .limit(p.limit)
})

const lastOf = (
  db: Kysely<Schema>,
  table: 'processes' | 'tombstones',
  p: Named<{ readonly watermark: number }>,
) =>
  db
    .selectFrom(table)
    .select(['id', 'change_seq'])
    .where('change_seq', '<', p.watermark)
    .orderBy('change_seq', 'desc')
    .orderBy('id', 'desc')
    .limit(1)

export const selectLatest = prepare((db, p: Named<{ watermark: number }>) =>
  db
    .selectFrom(lastOf(db, 'processes', p).as('process'))
    .selectAll()
    .unionAll(db.selectFrom(lastOf(db, 'tombstones', p).as('tombstone')).selectAll())
    .orderBy('change_seq', 'desc')
    .orderBy('id', 'desc')
    .limit(1),
)

export interface PostgresPlatformOptions {
  readonly registryId: string
  /** Default: the database's. */
  readonly clock: (() => number) | undefined
  readonly heldBack: HeldBackWatch
}

/**
 * A change has the number of the transaction that makes it, and no counter that all writers would
 * have to wait for. Numbers are not in order of commit, so a reader stops below the oldest transaction that still runs:
 * below it nothing can come any more, and it skips nothing.
 */
export function createPostgresPlatform(options: PostgresPlatformOptions): SqlPlatform {
  const { registryId, clock, heldBack } = options
  function* readWatermark(session: SqlSession): Operation<{ watermark: number; timeline: string }> {
    const [row] = yield* session.all(selectWatermark, {})
    return row ?? { watermark: 0, timeline: '' }
  }

  return {
    *now(session) {
      if (clock !== undefined) return yield* immediately(() => Math.floor(clock()))
      const guess = session.memory?.now()
      if (guess !== undefined) return guess
      const [row] = yield* session.all(selectClock, {})
      const now = row?.now ?? 0
      session.memory?.heard(now)
      return now
    },

    boundNow: () => (clock === undefined ? null : Math.floor(clock())),

    nextChange: () => immediately(() => 0),

    *lockQueue(session, queue) {
      yield* session.all(lockText, { text: JSON.stringify([registryId, queue]) })
    },

    *listChanges(session, cursor, limit) {
      const { watermark, timeline } = yield* readWatermark(session)
      const after = parsePosition(registryId, timeline, cursor)
      const rows = yield* session.all(selectChanges, {
        xid: after.xid,
        id: after.id as ProcessId,
        watermark,
        limit,
      })
      const last = rows.at(-1)
      const next = last === undefined ? cursor : formatPosition(registryId, timeline, toPosition(last))
      // A full page says nothing about the end of the feed.
      const heldBackBy = rows.length < limit ? yield* heldBack.look(session, watermark) : undefined
      return { changes: rows.map(fromChangeRow), next, ...(heldBackBy === undefined ? {} : { heldBackBy }) }
    },

    *positionOf(session, cursor) {
      const { timeline } = yield* readWatermark(session)
      const { xid, id } = parsePosition(registryId, timeline, cursor)
      return { changeSeq: xid, id: id as ProcessId }
    },

    *latestChange(session: SqlSession): Operation<ChangeCursor> {
      const { watermark, timeline } = yield* readWatermark(session)
      const [last] = yield* session.all(selectLatest, { watermark })
      return formatPosition(registryId, timeline, last === undefined ? BEGINNING : toPosition(last))
    },
  }
}

const toPosition = (row: { readonly id: ProcessId; readonly change_seq: number }): ChangePosition => ({
  xid: row.change_seq,
  id: row.id,
})
