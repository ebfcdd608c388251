import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const LIBRARY = new URL('library/', import.meta.url)

export interface Find {
  readonly file: string
  readonly text: string
}

/** The notes in `library` that hold a word, whole: they are short. */
export async function searchLibrary(word: string): Promise<readonly Find[]> {
  const files = (await readdir(fileURLToPath(LIBRARY))).toSorted()
  const notes = await Promise.all(
    files.map(async file => ({ file, text: await readFile(new URL(file, LIBRARY), 'utf8') })),
  )
  return notes.filter(({ text }) => text.toLowerCase().includes(word.toLowerCase()))
}
