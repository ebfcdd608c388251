import { type RawBuilder, sql } from 'kysely'
import type { HeldBack, Operation } from '../../store.ts'
import type { SqlSession } from '../session.ts'
import { type Named, prepare } from '../statement.ts'

/** How long a transaction may keep committed changes out of the feed before the feed says so. */
const PATIENCE_MS = 5_000

interface Holder {
  readonly kind: HeldBack['kind']
  readonly id: string
  readonly database: string | null
  /** Null: a session of another role, which this one may not look into. */
  readonly age_ms: number | null
}

const ageMs = (since: RawBuilder<unknown>) =>
  sql<number | null>`floor(extract(epoch from clock_timestamp() - ${since}) * 1000)::bigint`

/** Whose number the watermark is; nothing, unless a committed change waits above it. */
const selectHolder = prepare((db, p: Named<{ watermark: number }>) => {
  // The views show the low half of a transaction's number.
  const isOldest = (xid: RawBuilder<unknown>) => sql`${xid}::text::bigint = ${p.watermark} % 4294967296`
  const holders = sql<Holder>`(
    select 'transaction' as kind, pid::text as id, datname as database, ${ageMs(sql.ref('xact_start'))} as age_ms
    from pg_stat_activity where ${isOldest(sql.ref('backend_xid'))}
    union all
    select 'prepared_transaction', gid, database, ${ageMs(sql.ref('prepared'))}
    from pg_prepared_xacts where ${isOldest(sql.ref('transaction'))})`
  return db
    .selectFrom(holders.as('holder'))
    .selectAll()
    .where(({ exists, or, selectFrom }) =>
      or([
        exists(
          selectFrom('processes').select('processes.id').where('processes.change_seq', '>=', p.watermark),
        ),
        exists(
          selectFrom('tombstones').select('tombstones.id').where('tombstones.change_seq', '>=', p.watermark),
        ),
      ]),
    )
    .limit(1)
})

export interface HeldBackWatch {
  look(session: SqlSession, watermark: number): Operation<HeldBack | undefined>
}

/**
 * The watermark is the cluster's: a transaction that somebody left open in any of its databases, or prepared and forgot,
 * keeps every later change out of the feed. Nobody who waits depends on the feed, but an operator should hear of it.
 */
export function createHeldBackWatch(): HeldBackWatch {
  let seen = { watermark: 0, at: 0 }
  return {
    *look(session, watermark) {
      if (watermark !== seen.watermark) seen = { watermark, at: performance.now() }
      const [holder] = yield* session.all(selectHolder, { watermark })
      if (holder === undefined) return undefined
      // An age that may not be seen is at least as long as this store has been looking at the same watermark.
      const forMs = holder.age_ms ?? Math.floor(performance.now() - seen.at)
      if (forMs < PATIENCE_MS) return undefined
      return { kind: holder.kind, id: holder.id, database: holder.database ?? '', forMs }
    },
  }
}
