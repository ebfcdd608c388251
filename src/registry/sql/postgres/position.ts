import { LeaseholdError } from '../../../model/errors.ts'
import type { ChangeCursor } from '../../../model/ids.ts'
import { formatCursor, matchPosition } from '../../change-cursor.ts'

/** After this row of this transaction. Transactions are numbered as they begin to write, rows by the bytes of their id. */
export interface ChangePosition {
  readonly xid: number
  readonly id: string
}

export const BEGINNING: ChangePosition = { xid: 0, id: '' }

/**
 * A position means something on one timeline only: in one cluster, on one branch of its log, until it is restored from
 * a dump. Elsewhere the same transaction numbers are given to other transactions.
 */
export const formatPosition = (
  registryId: string,
  timeline: string,
  { xid, id }: ChangePosition,
): ChangeCursor => formatCursor(registryId, `${timeline}.${xid}.${id}`)

const POSITION = /^([^.]+)\.(0|[1-9]\d{0,15})\.(.*)$/s

export function parsePosition(registryId: string, timeline: string, cursor: ChangeCursor): ChangePosition {
  if (cursor === '') return BEGINNING
  const [, ofTimeline = '', xid, id = ''] = matchPosition(registryId, cursor, POSITION)
  if (ofTimeline !== timeline) {
    throw new LeaseholdError(
      'cursor_expired',
      `The change cursor is from before the registry was restored, or moved to another server (its timeline is ${ofTimeline}, the registry's is ${timeline}). What it has not seen cannot be told from what it has: begin at the start with "".`,
      { details: { expected: timeline, found: ofTimeline } },
    )
  }
  return { xid: Number(xid), id }
}
