/** Ids are ordered by their bytes in UTF-8, as in every store; JavaScript would compare UTF-16 units. */
export const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right))
