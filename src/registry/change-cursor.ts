import { LeaseholdError } from '../model/errors.ts'
import type { ChangeCursor } from '../model/ids.ts'

/** A cursor names its registry, so that one from elsewhere is refused: its position would mean nothing here. */
export const formatCursor = (registryId: string, position: number): ChangeCursor =>
  `${registryId}:${position}` as ChangeCursor

/** The position that a cursor of this registry holds; the empty cursor is before the first. */
export function parseCursor(registryId: string, cursor: ChangeCursor): number {
  if (cursor === '') return 0
  const match = /^([^:]+):(0|[1-9]\d{0,15})$/.exec(cursor)
  if (match === null) {
    throw new LeaseholdError(
      'usage',
      `${JSON.stringify(cursor.slice(0, 80))} is not a change cursor. Pass one that this registry returned, or "" to begin at the start.`,
    )
  }
  if (match[1] !== registryId) {
    throw new LeaseholdError(
      'registry_mismatch',
      `The change cursor belongs to registry ${match[1]}, but this is registry ${registryId}. Begin at the start with "".`,
      { details: { expected: registryId, found: match[1] } },
    )
  }
  return Number(match[2])
}
