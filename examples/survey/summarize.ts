import { z } from 'zod'
import type { Tool } from '../../src/index.ts'
import { type FileSurvey, fileSurvey } from './file-survey.ts'

type TextFile = Extract<FileSurvey, { kind: 'text' }>
type ReadableFile = Exclude<FileSurvey, { kind: 'unreadable' }>

/** What the report shows. A type alias, so that it is plain JSON to the compiler too. */
export type Summary = ReturnType<typeof summaryOf>

/** A tool as an agent could call it; the engine runs it as a step, which may be repeated since it changes nothing. */
export const summarize = {
  description: 'Adds up the surveys of files: totals, languages, the largest, markers, duplicates.',
  inputSchema: z.object({ files: z.array(fileSurvey) }),
  execute: ({ files }: { readonly files: readonly FileSurvey[] }): Summary => summaryOf(files),
} satisfies Tool

function summaryOf(files: readonly FileSurvey[]) {
  const texts = files.filter(file => file.kind === 'text')
  const readable = files.filter(file => file.kind !== 'unreadable')
  return {
    files: files.length,
    bytes: sum(readable, file => file.bytes),
    lines: sum(texts, file => file.lines),
    languages: languagesOf(texts),
    binaries: readable.length - texts.length,
    unreadable: files
      .filter(file => file.kind === 'unreadable')
      .map(({ path, reason }) => ({ path, reason })),
    largest: [...readable]
      .sort((left, right) => right.bytes - left.bytes || compare(left.path, right.path))
      .slice(0, 10)
      .map(({ path, bytes }) => ({ path, bytes })),
    imports: importsOf(texts),
    todos: texts.flatMap(({ path, todos }) => todos.map(todo => ({ path, ...todo }))),
    duplicates: duplicatesOf(readable),
  }
}

function languagesOf(texts: readonly TextFile[]) {
  return [...Map.groupBy(texts, file => file.language)]
    .map(([language, group]) => ({
      language,
      files: group.length,
      lines: sum(group, file => file.lines),
      bytes: sum(group, file => file.bytes),
    }))
    .sort((left, right) => right.lines - left.lines || compare(left.language, right.language))
}

/** The modules that most files import; relative ones mean another file at each place. */
function importsOf(texts: readonly TextFile[]) {
  const named = texts.flatMap(file => file.imports).filter(module => !module.startsWith('.'))
  return [...Map.groupBy(named, module => module)]
    .map(([module, { length }]) => ({ module, files: length }))
    .sort((left, right) => right.files - left.files || compare(left.module, right.module))
    .slice(0, 10)
}

/** Files of the same content; empty ones are no finding. */
function duplicatesOf(readable: readonly ReadableFile[]) {
  const filled = readable.filter(file => file.bytes > 0)
  return [...Map.groupBy(filled, file => file.hash)]
    .filter(([, group]) => group.length > 1)
    .map(([hash, group]) => ({
      hash,
      bytes: group[0]?.bytes ?? 0,
      paths: group.map(file => file.path).sort(),
    }))
    .sort((left, right) => right.bytes - left.bytes || compare(left.hash, right.hash))
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

/** By code unit, not by the machine's language. */
const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
