import type { RawBuilder } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { LeaseGuard, Operation } from '../store.ts'
import { type GuardBindings, guardBindings, heldLease } from './leases.ts'
import { fromJournalRow, toJournalRow } from './rows.ts'
import type { JournalRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare, type SqlValue } from './statement.ts'

const KEY_COLUMNS = ['process_id', 'epoch', 'address'] as const satisfies readonly (keyof JournalRow)[]

const ENTRY_COLUMNS = [
  'position',
  'kind',
  'effect',
  'digest',
  'status',
  'operation_id',
  'value',
  'failure',
  'attempt',
  'fence',
  'claimed_by',
  'start_by',
  'started_at',
  'ended_at',
  'resolved_by',
] as const satisfies readonly (keyof JournalRow)[]

const selectEpoch = prepare((db, p: Named<{ id: ProcessId; epoch: number }>) =>
  db
    .selectFrom('journal')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .orderBy('position'),
)

export function* listJournal(session: SqlSession, id: ProcessId, epoch: number): Operation<JournalEntry[]> {
  return (yield* session.all(selectEpoch, { id, epoch })).map(fromJournalRow)
}

const selectEntry = prepare((db, p: Named<{ id: ProcessId; epoch: number; address: string }>) =>
  db
    .selectFrom('journal')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .where('address', '=', p.address),
)

export function* loadJournalEntry(
  session: SqlSession,
  id: ProcessId,
  epoch: number,
  address: string,
): Operation<JournalEntry | undefined> {
  const [row] = yield* session.all(selectEntry, { id, epoch, address })
  return row && fromJournalRow(row)
}

// The union of the columns' types would not be callable.
const bound = (parameter: RawBuilder<SqlValue>): RawBuilder<SqlValue> => parameter

/** The price of a repeatable step: this one statement and its commit. */
const upsertEntry = prepare((db, p: Named<JournalRow & GuardBindings>, dialect) => {
  const all = [...KEY_COLUMNS, ...ENTRY_COLUMNS] as const
  return db
    .insertInto('journal')
    .columns(all)
    .expression(
      db
        .selectNoFrom(all.map(column => bound(p[column]).as(column)))
        .where(({ exists }) => exists(heldLease(db, p.process_id, p, dialect)))
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('processes')
              .select('processes.id')
              .where('processes.id', '=', p.process_id)
              .where('processes.epoch', '=', p.epoch),
          ),
        ),
    )
    .onConflict(oc =>
      oc
        .columns(KEY_COLUMNS)
        .doUpdateSet(({ ref }) =>
          Object.fromEntries(ENTRY_COLUMNS.map(column => [column, ref(`excluded.${column}`)])),
        ),
    )
})

export function* saveJournalEntry(
  session: SqlSession,
  entry: JournalEntry,
  guard: LeaseGuard,
): Operation<boolean> {
  const written = yield* session.run(upsertEntry, { ...toJournalRow(entry), ...guardBindings(guard) })
  return written === 1
}

const deleteRepeatableEntries = prepare((db, p: Named<{ id: ProcessId; epoch: number }>) =>
  db
    .deleteFrom('journal')
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .where('effect', '=', 'repeatable'),
)

export function* deleteRepeatable(session: SqlSession, id: ProcessId, epoch: number): Operation<void> {
  yield* session.send(deleteRepeatableEntries, { id, epoch })
}
