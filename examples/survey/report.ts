import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Summary } from './summarize.ts'
import type { Walk } from './walk.ts'

const TODOS_SHOWN = 50
const DUPLICATES_SHOWN = 20

/** The survey as Markdown. The same findings give the same text: no times, and every list in a fixed order. */
export function renderReport(dir: string, walked: Walk, summary: Summary): string {
  const { todos, duplicates } = summary
  return [
    `# Survey of ${code(dir)}`,
    table(
      ['Total', ''],
      [
        ['Files', number(summary.files)],
        ['Bytes', number(summary.bytes)],
        ['Lines of text', number(summary.lines)],
        ['Binary files, or too large to be read as text', number(summary.binaries)],
        ['Links and special files, left out', number(walked.leftOut)],
      ],
    ),
    section(
      'Languages',
      ['Language', 'Files', 'Lines', 'Bytes'],
      summary.languages.map(({ language, files, lines, bytes }) => [
        language,
        number(files),
        number(lines),
        number(bytes),
      ]),
    ),
    section(
      'Largest files',
      ['File', 'Bytes'],
      summary.largest.map(({ path, bytes }) => [code(path), number(bytes)]),
    ),
    section(
      'Most imported',
      ['Module', 'Files'],
      summary.imports.map(({ module, files }) => [code(module), number(files)]),
    ),
    section(
      `Markers (${shown(todos.length, TODOS_SHOWN)})`,
      ['Where', 'Text'],
      todos.slice(0, TODOS_SHOWN).map(({ path, line, text }) => [code(`${path}:${line}`), code(text)]),
    ),
    section(
      `Duplicates (${shown(duplicates.length, DUPLICATES_SHOWN)})`,
      ['SHA-256', 'Bytes', 'Files'],
      duplicates
        .slice(0, DUPLICATES_SHOWN)
        .map(({ hash, bytes, paths }) => [
          code(hash.slice(0, 12)),
          number(bytes),
          paths.map(code).join('<br>'),
        ]),
    ),
    section(
      'Not readable',
      ['What', 'Why'],
      [
        ...walked.unreadableFolders.map(folder => [code(`${folder}/`), 'folder']),
        ...summary.unreadable.map(({ path, reason }) => [code(path), reason]),
      ],
    ),
  ]
    .filter(part => part !== '')
    .join('\n\n')
    .concat('\n')
}

/** Written beside its place and moved there, so that nobody reads half a report, also after a crash. */
export async function writeReport(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.part`
  await writeFile(part, text)
  await rename(part, path)
}

/** A heading and its table; nothing where there are no rows. */
const section = (title: string, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : `## ${title}\n\n${table(head, rows)}`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

/** File names and markers may hold anything; in a table's cell they must stay one piece of code. */
const code = (text: string): string => `\`${text.replace(/[`|\p{Cc}]/gu, '·')}\``

const number = (value: number): string => value.toLocaleString('en')

const shown = (count: number, most: number): string =>
  count > most ? `the first ${most} of ${number(count)}` : number(count)
