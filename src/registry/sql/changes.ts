import type { ProcessChange } from '../store.ts'
import type { ProcessRow } from './schema.ts'

/** What the feed reads of a row. */
export const CHANGE_COLUMNS = [
  'id',
  'change_seq',
  'status',
  'cancel_request',
] as const satisfies readonly (keyof ProcessRow)[]

export const fromChangeRow = (row: Pick<ProcessRow, (typeof CHANGE_COLUMNS)[number]>): ProcessChange => ({
  id: row.id,
  status: row.status,
  isCancelRequested: row.cancel_request !== null,
})
