/** Something that must be so, and what was seen. */
export interface Check {
  readonly what: string
  readonly seen: string
  readonly isSo: boolean
}

export function renderChecks(checks: readonly Check[]): string {
  const rows = checks.map(({ what, seen, isSo }) => [what, seen, isSo ? 'yes' : 'NO'])
  const all = [['', 'Seen', 'As it must be'], ...rows]
  const widths = [0, 1, 2].map(column => Math.max(...all.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd()
  const rule = line(widths.map(width => '─'.repeat(width)))
  const [head = [], ...body] = all
  return [line(head), rule, ...body.map(line)].join('\n')
}
