import type { Row } from './bench.ts'
import type { MachineUse } from './machine.ts'

export interface MeasuredRow extends Row {
  readonly use: MachineUse
}

const HEADINGS = ['what', 'ours', 'reference', 'ratio', 'bound', 'met', 'load', 'steal %'] as const

/** A Markdown table, padded so that it reads as plain text too. */
export function formatTable(rows: readonly MeasuredRow[]): string {
  const lines = [[...HEADINGS], ...rows.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map(cells => cells[column]?.length ?? 0)))
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [headings = [], ...body] = lines
  const rule = widths.map(width => '-'.repeat(width))
  return [format(headings), format(rule), ...body.map(format)].join('\n')
}

function cellsOf({ what, ours, reference, ratio, bound, use }: MeasuredRow): string[] {
  const met = bound === undefined ? '' : bound.isMet ? 'yes' : 'NO'
  const steal = use.stealPercent === undefined ? '–' : use.stealPercent.toFixed(1)
  return [what, ours, reference, ratio ?? '', bound?.text ?? '', met, use.load.toFixed(2), steal]
}

/** Three significant digits, without an exponent. */
export const figure = (value: number): string => {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 4))
}

export const ms = (value: number): string => `${figure(value)} ms`
export const seconds = (milliseconds: number): string => `${figure(milliseconds / 1_000)} s`
export const times = (value: number): string => `${value.toFixed(2)} ×`
