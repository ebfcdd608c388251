import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { FileSurvey } from './file-survey.ts'
import { importsIn, languageOf } from './languages.ts'
import { todosIn } from './todos.ts'

/** Of a larger file only size and hash are taken, in pieces, so that it never stands in memory as a whole. */
const LARGEST_TEXT = 2 * 1024 * 1024

/** Reads one file. That it cannot be read is a finding too, and no failure of the survey. */
export async function surveyFile(dir: string, path: string): Promise<FileSurvey> {
  try {
    const { bytes, hash, content } = await read(join(dir, path))
    if (content === undefined || content.includes(0)) return { kind: 'binary', path, bytes, hash }
    const text = content.toString('utf8')
    const language = languageOf(path)
    return {
      kind: 'text',
      path,
      bytes,
      hash,
      language: language.name,
      lines: countLines(text),
      imports: importsIn(text, language),
      todos: todosIn(text),
    }
  } catch (error) {
    return { kind: 'unreadable', path, reason: reasonOf(error) }
  }
}

/** `content` is left out where it is too large to be read as text. */
async function read(path: string): Promise<{ bytes: number; hash: string; content?: Buffer }> {
  const hash = createHash('sha256')
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece)
    bytes += piece.byteLength
    if (bytes <= LARGEST_TEXT) pieces.push(piece)
    else pieces.length = 0
  }
  const result = { bytes, hash: hash.digest('hex') }
  return bytes <= LARGEST_TEXT ? { ...result, content: Buffer.concat(pieces) } : result
}

/** A last line without a newline counts as well. */
const countLines = (text: string): number =>
  text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

/** The system's word for it (EACCES, ENOENT, …). */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
