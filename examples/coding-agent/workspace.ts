import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'

/** What a search answers at most. */
const MOST_MATCHES = 50
const NOT_LOOKED_INTO = new Set(['.git', 'node_modules'])

/** The folder that the agent may read and change, and nothing beside it. */
export interface Workspace {
  readonly dir: string
  read(path: string): Promise<string>
  /** Lines that hold the text, as `path:line: text`. */
  search(text: string): Promise<readonly string[]>
  /** Puts one text in the place of another. Done again it is done already, so a crash in the middle does no harm. */
  edit(path: string, find: string, replace: string): Promise<'edited' | 'is so already' | 'not found'>
}

export function createWorkspace(dir: string): Workspace {
  const root = resolve(dir)
  function inside(path: string): string {
    const found = resolve(root, path)
    if (found === root || found.startsWith(root + sep)) return found
    throw new Error(`${path} is outside of the folder; name files relative to it`)
  }

  return {
    dir: root,
    read: path => readFile(inside(path), 'utf8'),

    async search(text) {
      const matches: string[] = []
      for (const path of await filesIn(root)) {
        const lines = (await readFile(path, 'utf8')).split('\n')
        for (const [index, line] of lines.entries()) {
          if (line.includes(text)) matches.push(`${relative(root, path)}:${index + 1}: ${line.trim()}`)
          if (matches.length === MOST_MATCHES) return matches
        }
      }
      return matches
    },

    async edit(path, find, replace) {
      const file = inside(path)
      const before = await readFile(file, 'utf8')
      if (before.includes(replace) && !before.replace(replace, '').includes(find)) return 'is so already'
      if (!before.includes(find)) return 'not found'
      await writeFile(
        file,
        before.replace(find, () => replace),
      )
      return 'edited'
    },
  }
}

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(
      path =>
        !relative(root, path)
          .split(sep)
          .some(part => NOT_LOOKED_INTO.has(part)),
    )
    .toSorted()
}
