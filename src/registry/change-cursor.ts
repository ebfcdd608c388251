import { LeaseholdError } from '../model/errors.ts'
import type { ChangeCursor } from '../model/ids.ts'

/** A cursor names its registry, so that one from elsewhere is refused: its position would mean nothing here. */
export const formatCursor = (registryId: string, position: number | string): ChangeCursor =>
  `${registryId}:${position}` as ChangeCursor

/** The position that a cursor of this registry holds; the empty cursor is before the first. */
export function parseCursor(registryId: string, cursor: ChangeCursor): number {
  if (cursor === '') return 0
  const [, position] = matchPosition(registryId, cursor, /^(0|[1-9]\d{0,15})$/)
  return Number(position)
}

/** The parts of a cursor's position, for a store whose positions are more than a number. */
export function matchPosition(registryId: string, cursor: ChangeCursor, pattern: RegExp): RegExpExecArray {
  const separator = cursor.indexOf(':')
  const match = separator > 0 ? pattern.exec(cursor.slice(separator + 1)) : null
  if (match === null) {
    throw new LeaseholdError(
      'usage',
      `${JSON.stringify(cursor.slice(0, 80))} is not a change cursor. Pass one that this registry returned, or "" to begin at the start.`,
    )
  }
  const found = cursor.slice(0, separator)
  if (found !== registryId) {
    throw new LeaseholdError(
      'registry_mismatch',
      `The change cursor belongs to registry ${found}, but this is registry ${registryId}. Begin at the start with "".`,
      { details: { expected: registryId, found } },
    )
  }
  return match
}
