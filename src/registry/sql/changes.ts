import { type Kysely, sql } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessStatus } from '../../model/outcome.ts'
import type { ProcessChange } from '../store.ts'
import type { Schema } from './schema.ts'

/** What the feed reads of a process, or of the tombstone of one. */
interface ChangeRow {
  readonly id: ProcessId
  readonly change_seq: number
  readonly status: ProcessStatus
  readonly cancel_request: string | null
  readonly is_pruned: number
}

export const processChanges = (db: Kysely<Schema>) =>
  db
    .selectFrom('processes')
    .select(['id', 'change_seq', 'status', 'cancel_request', sql.lit<number>(0).as('is_pruned')])

export const tombstoneChanges = (db: Kysely<Schema>) =>
  db
    .selectFrom('tombstones')
    .select([
      'id',
      'change_seq',
      'status',
      sql<null>`null`.as('cancel_request'),
      sql.lit<number>(1).as('is_pruned'),
    ])

export const fromChangeRow = (row: ChangeRow): ProcessChange => ({
  id: row.id,
  status: row.status,
  isCancelRequested: row.cancel_request !== null,
  isPruned: row.is_pruned === 1,
})
