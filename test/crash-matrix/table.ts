import type { MatrixReport, MatrixRow } from './run.ts'

/** The report as Markdown. */
export function tableOf({ rows, deaths, processes, attempts, violations }: MatrixReport): string {
  const head =
    '| worker dies at | tool | processes | died there | effects outside | told to the model |\n|---|---|--:|--:|--:|---|'
  const lines = rows.map(line)
  const found = violations.length === 0 ? 'none' : violations.map(text => `\n- ${text}`).join('')
  return `${head}\n${lines.join('\n')}\n\n${deaths} workers killed, ${processes} processes with ${attempts} attempts; repeated, lost or false: ${found}`
}

function line({ place, shape, processes, deaths, effects, told }: MatrixRow): string {
  const words = Object.entries(told)
    .map(([word, count]) => (count === 1 && processes === 1 ? word : `${count} ${word}`))
    .join(', ')
  const died = place.startsWith('anywhere') ? '' : String(deaths)
  return `| ${place} | ${shape} | ${processes} | ${died} | ${effects} | ${words} |`
}
