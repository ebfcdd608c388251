import { type RawBuilder, sql } from 'kysely'
import type { StoredBlob } from '../../model/blob.ts'
import type { ProcessId } from '../../model/ids.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { LeaseGuard, Operation } from '../store.ts'
import type { JournalBlobRow } from './blob-tables.ts'
import { BLOB_COLUMNS, putBackIntoRows, saveBlobs, takeOutOfRow } from './blobs.ts'
import { type GuardBindings, guardBindings, heldLease } from './leases.ts'
import { fromJournalRow, toJournalRow } from './rows/journal-row.ts'
import type { JournalRow } from './schema.ts'
import type { SqlPlatform, SqlSession } from './session.ts'
import { columns, type Named, prepare, type SqlValue } from './statement.ts'

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
  'is_told',
  'resolution',
] as const satisfies readonly (keyof JournalRow)[]

function* toEntries(session: SqlSession, rows: JournalRow[]): Operation<JournalEntry[]> {
  const whole = yield* putBackIntoRows(session, rows, BLOB_COLUMNS.journal, row => ({
    processId: row.process_id,
  }))
  return whole.map(fromJournalRow)
}

const selectEpoch = prepare((db, p: Named<{ id: ProcessId; epoch: number }>) =>
  db
    .selectFrom('journal')
    .selectAll()
    .where('process_id', '=', p.id)
    .where('epoch', '=', p.epoch)
    .orderBy('position'),
)

export function* listJournal(
  session: SqlSession,
  id: ProcessId,
  epoch: number,
  likely?: 'empty',
): Operation<JournalEntry[]> {
  const rows =
    likely === 'empty'
      ? yield* session.seldom(selectEpoch, { id, epoch })
      : yield* session.all(selectEpoch, { id, epoch })
  return yield* toEntries(session, rows)
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
  const [entry] = yield* toEntries(session, yield* session.all(selectEntry, { id, epoch, address }))
  return entry
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
        )
        // As `mayReplace` says.
        .where(({ and, eb, or }) =>
          or([
            eb('journal.status', '=', 'claimed'),
            and([eb('journal.status', '=', 'unknown'), eb('journal.is_told', 'is', null)]),
            and([eb('journal.status', '=', 'not_done'), eb('excluded.status', '=', 'claimed')]),
          ]),
        ),
    )
})

export function* saveJournalEntry(
  session: SqlSession,
  platform: SqlPlatform,
  entry: JournalEntry,
  guard: LeaseGuard,
): Operation<boolean> {
  const { row, blobs } = takeOutOfRow(toJournalRow(entry), BLOB_COLUMNS.journal)
  if (!(yield* session.save(upsertEntry, { ...row, ...guardBindings(platform, guard) }))) return false
  yield* saveEntryBlobs(session, row, blobs)
  return true
}

type EntryKey = Pick<JournalRow, (typeof KEY_COLUMNS)[number]>

const deleteEntryBlobs = prepare((db, p: Named<EntryKey>) =>
  db
    .deleteFrom('journal_blobs')
    .where('process_id', '=', p.process_id)
    .where('epoch', '=', p.epoch)
    .where('address', '=', p.address),
)

const insertEntryBlob = prepare((db, p: Named<JournalBlobRow>) =>
  db.insertInto('journal_blobs').values(columns(p, [...KEY_COLUMNS, 'hash'])),
)

/** A small value costs nothing here; if it replaces a large one, that one's blobs stay until the entry goes. */
function* saveEntryBlobs(
  session: SqlSession,
  { process_id, epoch, address }: EntryKey,
  blobs: readonly StoredBlob[],
): Operation<void> {
  if (blobs.length === 0) return
  const key = { process_id, epoch, address }
  const hashes = yield* saveBlobs(session, blobs)
  yield* session.send(deleteEntryBlobs, key)
  for (const hash of hashes) yield* session.send(insertEntryBlob, { ...key, hash })
}

const selectOnceSteps = prepare((db, p: Named<{ id: ProcessId }>) =>
  db
    .selectFrom('journal')
    .selectAll()
    .where('process_id', '=', p.id)
    // Written out, as the index has it.
    .where('effect', '=', sql.lit('once'))
    .orderBy('epoch')
    .orderBy('position'),
)

export function* listOnceSteps(session: SqlSession, id: ProcessId): Operation<JournalEntry[]> {
  return yield* toEntries(session, yield* session.all(selectOnceSteps, { id }))
}

const RESOLVED_COLUMNS = ['status', 'value', 'resolution', 'ended_at'] as const

const resolveEntry = prepare((db, p: Named<JournalRow>) =>
  db
    .updateTable('journal')
    .set(columns(p, RESOLVED_COLUMNS))
    .where('process_id', '=', p.process_id)
    .where('epoch', '=', p.epoch)
    .where('address', '=', p.address)
    .where(({ and, eb, or }) =>
      or([eb('status', '=', 'claimed'), and([eb('status', '=', 'unknown'), eb('resolution', 'is', null)])]),
    ),
)

export function* saveResolution(session: SqlSession, entry: JournalEntry): Operation<boolean> {
  const { row, blobs } = takeOutOfRow(toJournalRow(entry), BLOB_COLUMNS.journal)
  if (!(yield* session.save(resolveEntry, row))) return false
  yield* saveEntryBlobs(session, row, blobs)
  return true
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
