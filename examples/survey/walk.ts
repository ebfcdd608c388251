import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface Walk {
  /** Relative to the folder, with `/`, in order of code units: the same on every machine. */
  readonly files: readonly string[]
  readonly unreadableFolders: readonly string[]
  /** Links, sockets, pipes and devices. They are not followed or read: a link may lead in a circle, a pipe may never end. */
  readonly leftOut: number
}

/** Folders that hold what others made: of the version control, the package manager, the compiler, and of this example. */
const SKIPPED: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'data'])

/** Lists every regular file under a folder. Throws if the folder itself cannot be read. */
export async function walk(dir: string): Promise<Walk> {
  const files = new Set<string>()
  const unreadableFolders: string[] = []
  let leftOut = 0
  const folders = ['']
  // Folders are added to the list while it is gone through.
  for (const folder of folders) {
    const entries = await readFolder(dir, folder)
    if (entries === undefined) unreadableFolders.push(folder)
    for (const entry of entries ?? []) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isFile()) files.add(path)
      else if (!entry.isDirectory()) leftOut++
      else if (!SKIPPED.has(entry.name)) folders.push(path)
    }
  }
  return { files: [...files].sort(), unreadableFolders: unreadableFolders.sort(), leftOut }
}

/** `undefined`: it may not be read, or is gone by now. */
async function readFolder(dir: string, folder: string) {
  try {
    return await readdir(join(dir, folder), { withFileTypes: true })
  } catch (error) {
    if (folder === '') throw error
    return undefined
  }
}
