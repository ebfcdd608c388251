import { stripVTControlCharacters } from 'node:util'

const GAP = '  '

/** Rows as lines with their columns under each other. The last column is as long as it is. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows.map(row =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join(GAP)
      .trimEnd(),
  )
}

/** Colours take no room. */
const widthOf = (cell: string): number => [...stripVTControlCharacters(cell)].length
