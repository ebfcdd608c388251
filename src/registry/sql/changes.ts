import { type Kysely, sql } from 'kysely'
import type { ProcessId } from '../../model/ids.ts'
import type { ProcessStatus } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import type { ProcessChange } from '../store.ts'
import type { Schema } from './schema.ts'

/** What the feed reads of a process, or of the tombstone of one. */
interface ChangeRow {
  readonly id: ProcessId
  readonly change_seq: number
  readonly status: ProcessStatus
  readonly cancel_request: string | null
  readonly due_at: number | null
  readonly is_pruned: number
}

export const processChanges = (db: Kysely<Schema>) =>
  db
    .selectFrom('processes')
    .select(['id', 'change_seq', 'status', 'cancel_request', 'due_at', sql.lit<number>(0).as('is_pruned')])

export const tombstoneChanges = (db: Kysely<Schema>) =>
  db
    .selectFrom('tombstones')
    .select([
      'id',
      'change_seq',
      'status',
      sql<null>`null`.as('cancel_request'),
      sql<number | null>`cast(null as bigint)`.as('due_at'),
      sql.lit<number>(1).as('is_pruned'),
    ])

export const fromChangeRow = (row: ChangeRow): ProcessChange => ({
  id: row.id,
  status: row.status,
  isCancelRequested: row.cancel_request !== null,
  isPruned: row.is_pruned === 1,
  dueAtMs: row.due_at,
})

/** What the feed would tell of the row as it is about to be saved. */
export const changeOf = ({ record, dueAtMs }: StoredProcess): ProcessChange => ({
  id: record.id,
  status: record.status,
  isCancelRequested: record.cancelRequest !== undefined,
  isPruned: false,
  dueAtMs: dueAtMs ?? null,
})
