import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { LeaseToken, ProcessId } from '../../model/ids.ts'
import type { ProcessLease, StoredLease } from '../../model/lease.ts'
import type { LeaseGuard, Operation, OrphanedAttempt } from '../store.ts'
import type { LeaseRow } from './process-tables.ts'
import { fromLeaseRow, holderFromRow, toLeaseRow } from './rows/lease-row.ts'
import type { Schema } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { columns, type Named, prepare, type SqlDialect } from './statement.ts'

const HELD_COLUMNS = [
  'fence',
  'owner',
  'token',
  'claimed_at',
  'expires_at',
  'worker_incarnation',
  'backend_token',
  'death_proof',
  'dead_host_id',
  'place',
] as const satisfies readonly (keyof LeaseRow)[]

/** Named apart, because rows that are written under a lease have a fence of their own. */
export interface GuardBindings {
  readonly guard_token: LeaseToken
  readonly guard_fence: number
  /** Null: the database's time. */
  readonly guard_now: number | null
}

export const guardBindings = (platform: SqlPlatform, { token, fence, now }: LeaseGuard): GuardBindings => ({
  guard_token: token,
  guard_fence: fence,
  guard_now: now ?? platform.boundNow(),
})

/**
 * One row while the process's lease is the one presented, and live. It stands inside the statement that writes, and
 * keeps the lease as it is until the commit: a check before, or one that locks nothing, would leave a gap in which a
 * database with row locks lets a successor in, to read a journal that is not complete yet.
 */
export const heldLease = (
  db: Kysely<Schema>,
  processId: RawBuilder<ProcessId>,
  p: Named<GuardBindings>,
  { forShare, timeOf }: SqlDialect,
) =>
  forShare(
    db
      .selectFrom('leases')
      .select(sql.lit(1).as('held'))
      .where('leases.process_id', '=', processId)
      .where('leases.token', '=', p.guard_token)
      .where('leases.fence', '=', p.guard_fence)
      .where('leases.expires_at', '>', timeOf(p.guard_now)),
  )

const byId = (db: Kysely<Schema>, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('leases').selectAll().where('process_id', '=', p.id)

const selectLease = prepare((db, p: Named<{ id: ProcessId }>) => byId(db, p))

const lockLease = prepare((db, p: Named<{ id: ProcessId }>, { forUpdate }) => forUpdate(byId(db, p)))

export function* loadLease(session: SqlSession, id: ProcessId): Operation<StoredLease | undefined> {
  const [row] = yield* session.all(selectLease, { id })
  return row && fromLeaseRow(row)
}

export function* loadLeaseForUpdate(session: SqlSession, id: ProcessId): Operation<StoredLease | undefined> {
  const known = session.memory?.lease(id)
  if (known !== undefined && known !== 'none') return fromLeaseRow(known)
  const [row] =
    known === 'none' ? yield* session.seldom(lockLease, { id }) : yield* session.all(lockLease, { id })
  return row && fromLeaseRow(row)
}

const insertLease = prepare((db, p: Named<LeaseRow>) =>
  db
    .insertInto('leases')
    .values(columns(p, ['process_id', ...HELD_COLUMNS]))
    .onConflict(oc => oc.column('process_id').doNothing()),
)

const updateLease = prepare((db, p: Named<LeaseRow & { expected_fence: number }>) =>
  db
    .updateTable('leases')
    .set(columns(p, HELD_COLUMNS))
    .where('process_id', '=', p.process_id)
    .where('fence', '=', p.expected_fence),
)

export function* saveLease(
  session: SqlSession,
  id: ProcessId,
  lease: StoredLease,
  expectedFence: number,
): Operation<boolean> {
  const row = toLeaseRow(id, lease)
  const isSaved =
    expectedFence === 0
      ? yield* session.save(insertLease, row)
      : yield* session.save(updateLease, { ...row, expected_fence: expectedFence })
  if (isSaved) session.memory?.leased(row)
  return isSaved
}

const selectLeasesOfWorker = prepare((db, p: Named<{ worker: string }>) =>
  db
    .selectFrom('leases')
    .selectAll()
    .where('worker_incarnation', '=', p.worker)
    .where('token', 'is not', null)
    .orderBy('process_id'),
)

export function* listLeasesOfWorker(
  session: SqlSession,
  workerIncarnation: string,
): Operation<ProcessLease[]> {
  const rows = yield* session.all(selectLeasesOfWorker, { worker: workerIncarnation })
  return rows.flatMap(row => holderFromRow(row) ?? [])
}

const selectOrphans = prepare((db, p: Named<{ host: string }>) =>
  db
    .selectFrom('leases')
    .select(['process_id', 'fence', 'backend_token'])
    .where('dead_host_id', '=', p.host)
    .where('backend_token', 'is not', null)
    // Somebody who came to settle the process holds it now: that attempt is alive.
    .where('token', 'is', null)
    .orderBy('process_id')
    .$narrowType<{ backend_token: string }>(),
)

export function* listOrphans(session: SqlSession, hostId: string): Operation<OrphanedAttempt[]> {
  const rows = yield* session.all(selectOrphans, { host: hostId })
  return rows.map(row => ({ processId: row.process_id, fence: row.fence, backendToken: row.backend_token }))
}
