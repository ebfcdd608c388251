import type { ExpressionBuilder } from 'kysely'
import type { BlobUse, DeletedBlobs, Operation } from '../store.ts'
import { allOfList, prepareForList } from './in-list.ts'
import type { Schema } from './schema.ts'
import type { SqlSession } from './session.ts'
import { type Named, prepare } from './statement.ts'

/** One of the references to a blob. Not by `exists`, for which PostgreSQL may choose to read all references there are. */
const reference = ({ fn, selectFrom }: ExpressionBuilder<Schema, 'blobs'>) =>
  fn.coalesce(
    selectFrom('process_blobs')
      .select('process_blobs.hash')
      .whereRef('process_blobs.hash', '=', 'blobs.hash')
      .limit(1),
    selectFrom('journal_blobs')
      .select('journal_blobs.hash')
      .whereRef('journal_blobs.hash', '=', 'blobs.hash')
      .limit(1),
    selectFrom('session_blobs')
      .select('session_blobs.hash')
      .whereRef('session_blobs.hash', '=', 'blobs.hash')
      .limit(1),
  )

const selectUses = prepare((db, p: Named<{ after: string; limit: number }>) =>
  db
    .selectFrom('blobs')
    .select(eb => ['blobs.hash', reference(eb).as('reference')])
    .where('blobs.hash', '>', p.after)
    .orderBy('blobs.hash')
    .limit(p.limit),
)

export function* listBlobs(session: SqlSession, after: string, limit: number): Operation<BlobUse[]> {
  const rows = yield* session.all(selectUses, { after, limit })
  return rows.map(row => ({ hash: row.hash, isReferenced: row.reference !== null }))
}

const lockBlobs = prepareForList((db, hashes, { forDelete }) =>
  forDelete(db.selectFrom('blobs').select('hash').where('hash', 'in', hashes).orderBy('hash')),
)

const deleteUnreferenced = prepareForList((db, hashes) =>
  db
    .deleteFrom('blobs')
    .where('blobs.hash', 'in', hashes)
    .where(eb => eb(reference(eb), 'is', null))
    .returning('blobs.size'),
)

/**
 * Two statements where one would do on paper. Whoever is about to refer to a blob has it locked, and it is left alone;
 * whoever comes later waits, and then finds it gone. The second statement begins when all who came before have been
 * committed, and so sees what they refer to: the first one may have begun too early for that.
 */
export function* deleteBlobs(session: SqlSession, hashes: readonly string[]): Operation<DeletedBlobs> {
  const locked = (yield* allOfList(session, lockBlobs, hashes)).map(({ hash }) => hash)
  const deleted = yield* allOfList(session, deleteUnreferenced, locked)
  return { count: deleted.length, bytes: deleted.reduce((sum, { size }) => sum + size, 0) }
}
