import {
  type BlobOwner,
  blobCorrupt,
  blobMissing,
  blobsIn,
  hashBlob,
  putBackBlobs,
  type StoredBlob,
  takeOutBlobs,
} from '../../model/blob.ts'
import type { ProcessId } from '../../model/ids.ts'
import { compareBytes } from '../../model/order.ts'
import type { Operation } from '../store.ts'
import type { BlobRow, ProcessBlobRow, SessionBlobRow } from './blob-tables.ts'
import { allOfList, prepareForList } from './in-list.ts'
import type { MutableColumns, ProcessRow } from './process-tables.ts'
import type { EventRow, JournalRow, PendingCallRow, WakeRow } from './schema.ts'
import type { SqlSession } from './session.ts'
import type { SessionEntryRow, SessionRow } from './session-tables.ts'
import { columns, type Named, prepare } from './statement.ts'

/** A row whose columns of these names hold JSON texts. */
type WithTexts<Name extends string> = { readonly [Column in Name]: string | null }

const MUTABLE = [
  'outcome',
  'external_ref',
  'cancel_request',
  'abandon_request',
] as const satisfies readonly (keyof MutableColumns)[]

/** The columns that hold what users give, of any size: what is large in them is kept in blobs. */
export const BLOB_COLUMNS = {
  processes: ['input', 'event_types', ...MUTABLE] as const satisfies readonly (keyof ProcessRow)[],
  /** Those of a process that are written again. */
  mutable: MUTABLE,
  events: ['payload', 'semantics'] as const satisfies readonly (keyof EventRow)[],
  journal: ['value', 'failure'] as const satisfies readonly (keyof JournalRow)[],
  wakes: ['delivery'] as const satisfies readonly (keyof WakeRow)[],
  pendingCalls: ['answer'] as const satisfies readonly (keyof PendingCallRow)[],
  sessions: ['policy', 'plugin_options'] as const satisfies readonly (keyof SessionRow)[],
  sessionEntries: ['message'] as const satisfies readonly (keyof SessionEntryRow)[],
} as const

/** The row as it is written, and what has to be stored beside it. */
export function takeOutOfRow<Name extends string, Row extends WithTexts<Name>>(
  row: Row,
  names: readonly Name[],
): { readonly row: Row; readonly blobs: readonly StoredBlob[] } {
  const blobs: StoredBlob[] = []
  const texts: { [name: string]: string } = {}
  for (const name of names) {
    const whole: string | null = row[name]
    if (whole === null) continue
    const taken = takeOutBlobs(whole)
    if (taken.blobs.length === 0) continue
    texts[name] = taken.text
    blobs.push(...taken.blobs)
  }
  return blobs.length === 0 ? { row, blobs } : { row: { ...row, ...texts }, blobs }
}

/**
 * The rows with their blobs in place: one query for all rows. Throws `blob_missing` or `blob_corrupt` with the owner
 * and the hash.
 */
export function* putBackIntoRows<Name extends string, Row extends WithTexts<Name>>(
  session: SqlSession,
  rows: Row[],
  names: readonly Name[],
  ownerOf: (row: Row) => BlobOwner,
): Operation<Row[]> {
  const hashes = new Set<string>()
  for (const row of rows)
    for (const name of names) for (const hash of blobsIn(row[name] ?? '')) hashes.add(hash)
  if (hashes.size === 0) return rows
  const found = yield* allOfList(session, selectBlobs, [...hashes])
  const blobs = new Map(found.map(({ hash, text }) => [hash, { text, found: hashBlob(text) }]))
  return rows.map(row => {
    const textOf = (hash: string): string => {
      const blob = blobs.get(hash)
      if (blob === undefined) throw blobMissing(ownerOf(row), hash)
      if (blob.found !== hash) throw blobCorrupt(ownerOf(row), hash, blob.found)
      return blob.text
    }
    const texts = names.map(name => {
      const text: string | null = row[name]
      return [name, text === null ? null : putBackBlobs(text, textOf)]
    })
    return { ...row, ...Object.fromEntries(texts) }
  })
}

const selectBlobs = prepareForList((db, hashes) =>
  db.selectFrom('blobs').select(['hash', 'text']).where('hash', 'in', hashes),
)

/** Kept until the commit: nobody deletes them before it says that they are referred to. */
const selectKnown = prepareForList((db, hashes, { forShare }) =>
  forShare(db.selectFrom('blobs').select('hash').where('hash', 'in', hashes).orderBy('hash')),
)

const insertBlob = prepare((db, p: Named<BlobRow>) =>
  db
    .insertInto('blobs')
    .values(columns(p, ['hash', 'size', 'text']))
    // Another transaction came first. Writing what stands there anyway locks the row, so that it stays until the commit.
    .onConflict(oc => oc.column('hash').doUpdateSet({ size: p.size })),
)

const insertProcessBlob = prepare((db, p: Named<ProcessBlobRow>) =>
  db
    .insertInto('process_blobs')
    .values(columns(p, ['process_id', 'hash']))
    .onConflict(oc => oc.columns(['process_id', 'hash']).doNothing()),
)

/** For what lasts as long as the process: its row, which has been written before, its events, its wakes and its calls. */
export function* saveProcessBlobs(
  session: SqlSession,
  id: ProcessId,
  blobs: readonly StoredBlob[],
): Operation<void> {
  for (const hash of yield* saveBlobs(session, blobs)) {
    yield* session.send(insertProcessBlob, { process_id: id, hash })
  }
}

const insertSessionBlob = prepare((db, p: Named<SessionBlobRow>) =>
  db
    .insertInto('session_blobs')
    .values(columns(p, ['session_id', 'hash']))
    .onConflict(oc => oc.columns(['session_id', 'hash']).doNothing()),
)

/** For what lasts as long as the session, whose row has been written before. */
export function* saveSessionBlobs(
  session: SqlSession,
  sessionId: string,
  blobs: readonly StoredBlob[],
): Operation<void> {
  for (const hash of yield* saveBlobs(session, blobs)) {
    yield* session.send(insertSessionBlob, { session_id: sessionId, hash })
  }
}

/** Stores what is not there yet. The caller, who has written the row that refers to them, says so in the same transaction. */
export function* saveBlobs(session: SqlSession, blobs: readonly StoredBlob[]): Operation<readonly string[]> {
  if (blobs.length === 0) return []
  const texts = new Map(blobs.map(({ hash, text }) => [hash, text]))
  // In the order of their hashes, so that two transactions never wait for each other.
  const hashes = [...texts.keys()].sort(compareBytes)
  const known = new Set((yield* allOfList(session, selectKnown, hashes)).map(({ hash }) => hash))
  for (const hash of hashes) {
    const text = texts.get(hash) ?? ''
    // What is there already is not sent again.
    if (!known.has(hash)) yield* session.send(insertBlob, { hash, size: Buffer.byteLength(text), text })
  }
  return hashes
}
