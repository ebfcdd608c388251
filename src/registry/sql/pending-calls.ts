import type { RawBuilder } from 'kysely'
import { type Approval, type ApprovalCall, isApproval } from '../../model/approval.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { PendingCall } from '../../model/pending-call.ts'
import type { LeaseGuard, Operation } from '../store.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveProcessBlobs, takeOutOfRow } from './blobs.ts'
import { decode, encode, encodeOptional } from './json-text.ts'
import { type GuardBindings, guardBindings, heldLease } from './leases.ts'
import type { PendingCallRow } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { type Named, prepare, type SqlValue } from './statement.ts'

const COLUMNS = [
  'key',
  'process_id',
  'opened_at',
  'until',
  'answer',
  'answered_at',
  'approval',
] as const satisfies readonly (keyof PendingCallRow)[]

const toRow = (call: PendingCall): PendingCallRow => ({
  key: call.key,
  process_id: call.processId,
  opened_at: call.openedAtMs,
  until: call.untilMs ?? null,
  answer: encodeOptional(call.answer),
  answered_at: call.answeredAtMs ?? null,
  approval: encodeOptional(call.approval),
})

const fromRow = (row: PendingCallRow): PendingCall => ({
  key: row.key,
  processId: row.process_id,
  openedAtMs: row.opened_at,
  ...(row.until === null ? {} : { untilMs: row.until }),
  ...(row.answer === null ? {} : { answer: decode(row.answer) }),
  ...(row.answered_at === null ? {} : { answeredAtMs: row.answered_at }),
  ...(row.approval === null ? {} : { approval: decode(row.approval) }),
})

const selectCall = prepare((db, p: Named<{ key: string }>) =>
  db.selectFrom('pending_calls').selectAll().where('key', '=', p.key),
)

export function* loadPendingCall(session: SqlSession, key: string): Operation<PendingCall | undefined> {
  const found = yield* session.all(selectCall, { key })
  const [row] = yield* putBackIntoRows(session, found, BLOB_COLUMNS.pendingCalls, one => ({
    processId: one.process_id,
  }))
  return row && fromRow(row)
}

// The union of the columns' types would not be callable.
const bound = (parameter: RawBuilder<SqlValue>): RawBuilder<SqlValue> => parameter

const insertUnderLease = prepare((db, p: Named<PendingCallRow & GuardBindings>, dialect) =>
  db
    .insertInto('pending_calls')
    .columns([...COLUMNS])
    .expression(
      db
        .selectNoFrom(COLUMNS.map(column => bound(p[column]).as(column)))
        .where(({ exists }) => exists(heldLease(db, p.process_id, p, dialect))),
    )
    .onConflict(oc => oc.column('key').doNothing()),
)

export function* insertPendingCall(
  session: SqlSession,
  platform: SqlPlatform,
  call: PendingCall,
  guard: LeaseGuard,
): Operation<boolean> {
  return yield* session.save(insertUnderLease, { ...toRow(call), ...guardBindings(platform, guard) })
}

const updateAnswer = prepare((db, p: Named<Pick<PendingCallRow, 'key' | 'answer' | 'answered_at'>>) =>
  db
    .updateTable('pending_calls')
    .set({ answer: p.answer, answered_at: p.answered_at })
    .where('key', '=', p.key)
    .where('answer', 'is', null),
)

export function* saveAnswer(session: SqlSession, call: PendingCall): Operation<boolean> {
  const { row, blobs } = takeOutOfRow(toRow(call), BLOB_COLUMNS.pendingCalls)
  const { key, answer, answered_at } = row
  if (!(yield* session.save(updateAnswer, { key, answer, answered_at }))) return false
  yield* saveProcessBlobs(session, row.process_id, blobs)
  return true
}

const updateApproval = prepare(
  (
    db,
    p: Named<Pick<PendingCallRow, 'key' | 'approval' | 'answer' | 'answered_at'> & { expected: string }>,
  ) =>
    db
      .updateTable('pending_calls')
      .set({ approval: p.approval, answer: p.answer, answered_at: p.answered_at })
      .where('key', '=', p.key)
      .where('approval', '=', p.expected),
)

export function* saveApproval(
  session: SqlSession,
  call: ApprovalCall,
  expected: Approval,
): Operation<boolean> {
  // Neither names nor reasons come near the size of a blob.
  const { key, approval, answer, answered_at } = toRow(call)
  const row = { key, approval, answer, answered_at, expected: encode(expected) }
  return (yield* session.run(updateApproval, row)) === 1
}

const selectApprovals = (isOfOne: boolean) =>
  prepare((db, p: Named<{ id: ProcessId; limit: number }>) => {
    const open = db
      .selectFrom('pending_calls')
      .selectAll()
      .where('approval', 'is not', null)
      .where('answer', 'is', null)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('processes')
            .select('processes.id')
            .whereRef('processes.id', '=', 'pending_calls.process_id')
            .where('processes.status', '=', 'running'),
        ),
      )
    // Of all of them, the index of open approvals is entered by its first column, which every time fits.
    const fitting = isOfOne ? open.where('process_id', '=', p.id) : open.where('opened_at', '>=', 0)
    return fitting.orderBy('opened_at').orderBy('key').limit(p.limit)
  })

const selectAllApprovals = selectApprovals(false)
const selectApprovalsOfOne = selectApprovals(true)

export function* listOpenApprovals(
  session: SqlSession,
  { processId, limit }: { readonly processId?: ProcessId; readonly limit: number },
): Operation<ApprovalCall[]> {
  const rows =
    processId === undefined
      ? yield* session.all(selectAllApprovals, { id: '' as ProcessId, limit })
      : yield* session.all(selectApprovalsOfOne, { id: processId, limit })
  return rows.map(fromRow).filter(isApproval)
}
