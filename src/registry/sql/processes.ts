import type { Kysely } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { Operation, WriteGuard } from '../store.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveProcessBlobs, takeOutOfRow } from './blobs.ts'
import { changeOf } from './changes.ts'
import { type GuardBindings, guardBindings, heldLease } from './leases.ts'
import type { MutableColumns, ProcessRow, RegistrationColumns } from './process-tables.ts'
import {
  fromProcessRow,
  type RecordRow,
  toMutableColumns,
  toRegistrationColumns,
} from './rows/process-row.ts'
import type { Schema } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { columns, type Named, prepare, type SqlDialect } from './statement.ts'
import { insertWaits, replaceWaits, waitsOf, waitsOfMany } from './waits.ts'

const REGISTRATION_COLUMNS = [
  'id',
  'kind',
  'label',
  'definition',
  'disposition',
  'input',
  'event_types',
  'provenance',
  'originator_scope',
  'occurrence_id',
  'subscription_id',
  'env_ref',
  'max_attempts',
  'flow',
  'priority',
  'registration_hash',
  'incarnation',
  'created_at',
  'traceparent',
] as const satisfies readonly (keyof RegistrationColumns)[]

const MUTABLE_COLUMNS = [
  'updated_at',
  'status',
  'outcome',
  'external_ref',
  'wake_target',
  'wake_session',
  'first_started',
  'cancel_request',
  'abandon_request',
  'wait_count',
  'silent_since',
  'turn',
  'turn_since',
  'turn_at',
  'attempts',
  'last_sequence',
  'change_seq',
  'due_at',
  'submissions',
  'failures',
  'attempts_spent',
  'is_attempt_open',
  'is_run_waiting',
  'epoch',
] as const satisfies readonly (keyof MutableColumns)[]

const byId = (db: Kysely<Schema>, p: Named<{ id: ProcessId }>) =>
  db.selectFrom('processes').selectAll().where('id', '=', p.id)

const selectProcess = prepare((db, p: Named<{ id: ProcessId }>) => byId(db, p))

const lockProcess = prepare((db, p: Named<{ id: ProcessId }>, { forUpdate }) => forUpdate(byId(db, p)))

/** Rows of processes, or of a join with them, as they can be decoded. */
export const wholeProcesses = <Row extends RecordRow>(session: SqlSession, rows: Row[]): Operation<Row[]> =>
  putBackIntoRows(session, rows, BLOB_COLUMNS.processes, ({ id }) => ({ processId: id }))

export function* loadProcess(session: SqlSession, id: ProcessId): Operation<StoredProcess | undefined> {
  const [row] = yield* wholeProcesses(session, yield* session.all(selectProcess, { id }))
  return row && fromProcessRow(row, yield* waitsOf(session, row))
}

export function* loadProcessForUpdate(
  session: SqlSession,
  id: ProcessId,
  likely?: 'absent',
): Operation<StoredProcess | undefined> {
  const known = session.memory?.process(id)
  if (known !== undefined) {
    session.withoutWaits.add(id)
    return fromProcessRow(known, [])
  }
  const found =
    likely === 'absent' ? yield* session.seldom(lockProcess, { id }) : yield* session.all(lockProcess, { id })
  const [row] = yield* wholeProcesses(session, found)
  if (row !== undefined && row === found[0]) session.memory?.loaded(row)
  if (row?.wait_count === 0) session.withoutWaits.add(id)
  else session.withoutWaits.delete(id)
  return row && fromProcessRow(row, yield* waitsOf(session, row))
}

const insertRow = prepare((db, p: Named<ProcessRow>, { changePosition }) =>
  db.insertInto('processes').values({
    ...columns(p, [...REGISTRATION_COLUMNS, ...MUTABLE_COLUMNS]),
    change_seq: changePosition(p.change_seq),
  }),
)

export function* insertProcess(
  session: SqlSession,
  platform: SqlPlatform,
  process: StoredProcess,
): Operation<void> {
  const changeSeq = yield* platform.nextChange(session, changeOf(process))
  const whole = { ...toRegistrationColumns(process), ...toMutableColumns(process, changeSeq) }
  const { row, blobs } = takeOutOfRow(whole, BLOB_COLUMNS.processes)
  yield* session.save(insertRow, row)
  if (blobs.length === 0) session.memory?.inserted(row)
  yield* insertWaits(session, row.id, process.record.waits)
  yield* saveProcessBlobs(session, row.id, blobs)
}

/** Never the registration: it may be large, and does not change. */
interface ProcessUpdate extends MutableColumns {
  readonly id: ProcessId
}

/** Stand in indexes, and seldom change. */
const INDEXED_COLUMNS = [
  'status',
  'due_at',
  'turn',
  'wake_session',
] as const satisfies readonly (keyof MutableColumns)[]

const UNINDEXED_COLUMNS = MUTABLE_COLUMNS.filter(
  (column): column is Exclude<typeof column, (typeof INDEXED_COLUMNS)[number]> =>
    !INDEXED_COLUMNS.some(indexed => indexed === column),
)

type Update = ReturnType<typeof updateAll>

const updateAll = (db: Kysely<Schema>, p: Named<ProcessUpdate>, { changePosition }: SqlDialect) =>
  db
    .updateTable('processes')
    .set({ ...columns(p, MUTABLE_COLUMNS), change_seq: changePosition(p.change_seq) })
    .where('id', '=', p.id)

/** The same where no index but that of the changes has to be written; where one has, this writes nothing. */
const updateUnindexed: typeof updateAll = (db, p, { changePosition }) =>
  db
    .updateTable('processes')
    .set({ ...columns(p, UNINDEXED_COLUMNS), change_seq: changePosition(p.change_seq) })
    .where('id', '=', p.id)
    .where(({ and, eb }) => and(INDEXED_COLUMNS.map(column => eb(column, 'is not distinct from', p[column]))))

const onlyRunning = (update: Update): Update => update.where('status', '=', 'running')

const updatesOf = (update: typeof updateAll) => ({
  free: {
    any: prepare((db, p: Named<ProcessUpdate>, dialect) => update(db, p, dialect)),
    running: prepare((db, p: Named<ProcessUpdate>, dialect) => onlyRunning(update(db, p, dialect))),
  },
  leased: {
    any: prepare((db, p: Named<ProcessUpdate & GuardBindings>, dialect) =>
      update(db, p, dialect).where(({ exists }) => exists(heldLease(db, p.id, p, dialect))),
    ),
    running: prepare((db, p: Named<ProcessUpdate & GuardBindings>, dialect) =>
      onlyRunning(update(db, p, dialect)).where(({ exists }) => exists(heldLease(db, p.id, p, dialect))),
    ),
  },
})

const UPDATES = { all: updatesOf(updateAll), unindexed: updatesOf(updateUnindexed) }

export function* saveProcess(
  session: SqlSession,
  platform: SqlPlatform,
  process: StoredProcess,
  { status, lease }: WriteGuard,
): Operation<boolean> {
  // A refusal leaves a gap in the positions, which nobody minds: they only have to grow.
  const changeSeq = yield* platform.nextChange(session, changeOf(process))
  const whole = toMutableColumns(process, changeSeq)
  const { row: mutable, blobs } = takeOutOfRow(whole, BLOB_COLUMNS.mutable)
  const row = { id: process.record.id, ...mutable }
  const save = (updates: ReturnType<typeof updatesOf>) =>
    lease === undefined
      ? session.save(updates.free[status], row)
      : session.save(updates.leased[status], { ...row, ...guardBindings(platform, lease) })
  const isSaved =
    (session.writesNamedIndexes && (yield* save(UPDATES.unindexed))) || (yield* save(UPDATES.all))
  if (!isSaved) return false
  if (blobs.length === 0) session.memory?.updated(row.id, mutable)
  else session.memory?.forget(row.id)
  yield* replaceWaits(session, row.id, process.record.waits)
  yield* saveProcessBlobs(session, row.id, blobs)
  return true
}

const updateDue = prepare((db, p: Named<{ id: ProcessId; due_at: number | null }>) =>
  db.updateTable('processes').set({ due_at: p.due_at }).where('id', '=', p.id),
)

export function* saveDue(session: SqlSession, id: ProcessId, dueAtMs: number | undefined): Operation<void> {
  const due_at = dueAtMs ?? null
  yield* session.send(updateDue, { id, due_at })
  session.memory?.updated(id, { due_at })
}

const selectDue = prepare((db, p: Named<{ now: number | null; limit: number }>, { timeOf }) =>
  db
    .selectFrom('processes')
    .selectAll()
    // Read once, so that the index can be searched for it.
    .where('due_at', '<=', db.selectNoFrom(timeOf(p.now).as('now')))
    .orderBy('due_at')
    .orderBy('id')
    .limit(p.limit),
)

export function* listDue(
  session: SqlSession,
  platform: SqlPlatform,
  now: number | undefined,
  limit: number,
): Operation<StoredProcess[]> {
  const bindings = { now: now ?? platform.boundNow(), limit }
  return yield* storedProcesses(session, yield* session.all(selectDue, bindings))
}

function* storedProcesses(session: SqlSession, found: ProcessRow[]): Operation<StoredProcess[]> {
  const rows = yield* wholeProcesses(session, found)
  const waitsOf = yield* waitsOfMany(session, rows)
  return rows.map(row => fromProcessRow(row, waitsOf(row)))
}

const selectSubmitted = prepare((db, p: Named<{ limit: number }>) =>
  db
    .selectFrom('processes')
    .selectAll()
    .where('due_at', 'is not', null)
    .where('submissions', '>', 0)
    .orderBy('due_at')
    .orderBy('id')
    .limit(p.limit),
)

export function* listSubmitted(session: SqlSession, limit: number): Operation<StoredProcess[]> {
  return yield* storedProcesses(session, yield* session.all(selectSubmitted, { limit }))
}

const selectNextDue = prepare(db =>
  db.selectFrom('processes').select('due_at').where('due_at', 'is not', null).orderBy('due_at').limit(1),
)

export function* nextDue(session: SqlSession): Operation<number | undefined> {
  const [row] = yield* session.all(selectNextDue, {})
  return row?.due_at ?? undefined
}
