import type { ProcessId } from '../../model/ids.ts'
import type { StoredWake } from '../../model/outbox.ts'
import type { Operation, WakeGroup } from '../store.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveProcessBlobs, takeOutOfRow } from './blobs.ts'
import { fromWakeRow, toWakeRow } from './rows/wake-row.ts'
import type { WakeRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { columns, type Named, prepare } from './statement.ts'

const DELIVERY_COLUMNS = [
  'wake_id',
  'target_session',
  'process_id',
  'sequence',
  'delivery',
] as const satisfies readonly (keyof WakeRow)[]

const STATE_COLUMNS = [
  'status',
  'version',
  'attempts',
  'due_at',
  'expires_at',
  'claim_token',
  'claimed_by',
  'discard_reason',
  'discarded_at',
  'is_open',
  'is_blocking',
] as const satisfies readonly (keyof WakeRow)[]

function* toWakes(session: SqlSession, rows: WakeRow[]): Operation<StoredWake[]> {
  const whole = yield* putBackIntoRows(session, rows, BLOB_COLUMNS.wakes, row => ({
    processId: row.process_id,
  }))
  return whole.map(fromWakeRow)
}

const selectWake = prepare((db, p: Named<{ wake: string }>) =>
  db.selectFrom('wakes').selectAll().where('wake_id', '=', p.wake),
)

export function* loadWake(session: SqlSession, wakeId: string): Operation<StoredWake | undefined> {
  const [wake] = yield* toWakes(session, yield* session.all(selectWake, { wake: wakeId }))
  return wake
}

interface GroupBindings {
  readonly session: string
  readonly process: ProcessId
}

const selectOpen = prepare((db, p: Named<GroupBindings & { limit: number }>) =>
  db
    .selectFrom('wakes')
    .selectAll()
    .where('target_session', '=', p.session)
    .where('process_id', '=', p.process)
    .where('is_open', 'is not', null)
    .orderBy('sequence')
    .orderBy('wake_id')
    .limit(p.limit),
)

export function* listOpenWakes(
  session: SqlSession,
  { sessionId, processId }: WakeGroup,
  limit: number,
): Operation<StoredWake[]> {
  const rows = yield* session.all(selectOpen, { session: sessionId, process: processId, limit })
  return yield* toWakes(session, rows)
}

const countOpen = prepare((db, p: Named<GroupBindings>) =>
  db
    .selectFrom('wakes')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('target_session', '=', p.session)
    .where('process_id', '=', p.process)
    .where('is_open', 'is not', null),
)

export function* countOpenWakes(session: SqlSession, { sessionId, processId }: WakeGroup): Operation<number> {
  const [row] = yield* session.all(countOpen, { session: sessionId, process: processId })
  return row?.count ?? 0
}

const selectOfProcess = prepare((db, p: Named<{ id: ProcessId; limit: number }>) =>
  db
    .selectFrom('wakes')
    .selectAll()
    .where('process_id', '=', p.id)
    .orderBy('sequence')
    .orderBy('wake_id')
    .limit(p.limit),
)

export function* listWakesOf(session: SqlSession, id: ProcessId, limit: number): Operation<StoredWake[]> {
  return yield* toWakes(session, yield* session.all(selectOfProcess, { id, limit }))
}

const selectDueOfProcess = prepare((db, p: Named<{ id: ProcessId }>) =>
  db
    .selectFrom('wakes')
    .select('wake_id')
    .where('process_id', '=', p.id)
    .where('due_at', 'is not', null)
    .limit(1),
)

export function* hasDueWake(session: SqlSession, id: ProcessId): Operation<boolean> {
  return (yield* session.all(selectDueOfProcess, { id })).length > 0
}

const selectDue = prepare((db, p: Named<{ now: number; limit: number }>) =>
  db
    .selectFrom('wakes')
    .selectAll()
    .where('due_at', '<=', p.now)
    .orderBy('due_at')
    .orderBy('wake_id')
    .limit(p.limit),
)

export function* listDueWakes(session: SqlSession, now: number, limit: number): Operation<StoredWake[]> {
  return yield* toWakes(session, yield* session.all(selectDue, { now, limit }))
}

const selectClaimed = prepare((db, p: Named<{ worker: string }>) =>
  db.selectFrom('wakes').selectAll().where('claimed_by', '=', p.worker).orderBy('wake_id'),
)

export function* listWakesClaimedBy(session: SqlSession, worker: string): Operation<StoredWake[]> {
  return yield* toWakes(session, yield* session.all(selectClaimed, { worker }))
}

const selectNextDue = prepare(db =>
  db.selectFrom('wakes').select('due_at').where('due_at', 'is not', null).orderBy('due_at').limit(1),
)

export function* nextWakeDue(session: SqlSession): Operation<number | undefined> {
  const [row] = yield* session.all(selectNextDue, {})
  return row?.due_at ?? undefined
}

const selectBlocking = prepare((db, p: Named<{ after: string; limit: number }>) =>
  db
    .selectFrom('wakes')
    .selectAll()
    .where('is_blocking', 'is not', null)
    .where('wake_id', '>', p.after)
    .orderBy('wake_id')
    .limit(p.limit),
)

export function* listBlockedWakes(
  session: SqlSession,
  after: string,
  limit: number,
): Operation<StoredWake[]> {
  return yield* toWakes(session, yield* session.all(selectBlocking, { after, limit }))
}

const insertRow = prepare((db, p: Named<WakeRow>) =>
  db
    .insertInto('wakes')
    .values(columns(p, [...DELIVERY_COLUMNS, ...STATE_COLUMNS]))
    .onConflict(oc => oc.column('wake_id').doNothing()),
)

export function* insertWake(session: SqlSession, wake: StoredWake): Operation<boolean> {
  const { row, blobs } = takeOutOfRow(toWakeRow(wake), BLOB_COLUMNS.wakes)
  if (!(yield* session.save(insertRow, row))) return false
  yield* saveProcessBlobs(session, row.process_id, blobs)
  return true
}

const updateState = prepare((db, p: Named<WakeRow & { expected_version: number }>) =>
  db
    .updateTable('wakes')
    .set(columns(p, STATE_COLUMNS))
    .where('wake_id', '=', p.wake_id)
    .where('version', '=', p.expected_version),
)

export function* saveWake(
  session: SqlSession,
  wake: StoredWake,
  expectedVersion: number,
): Operation<boolean> {
  const row = { ...toWakeRow(wake), expected_version: expectedVersion }
  return (yield* session.run(updateState, row)) === 1
}
