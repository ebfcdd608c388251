import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { whyNotExecutable } from './executable.ts'
import { withFileLock } from './file-lock.ts'
import { withProgress } from './progress.ts'
import type { FindTemporalServerOptions } from './temporal-cli.ts'

/** Something executable that is made once and kept in the cache folder. */
export interface CachedBinary {
  /** For people: `Temporal CLI`. */
  readonly title: string
  /** Its folder in the cache. The versions are part of it, so that a new number means a new folder. */
  readonly folder: string
  /** The executable file in that folder; what it needs may stand beside it. */
  readonly file: string
}

/** Where the binary stands in the cache. What stands there is whole: it comes by a rename, never by writing. */
export const cachedPath = (cacheDir: string, { folder, file }: CachedBinary): string =>
  join(cacheDir, folder, file)

export async function isInCache(cacheDir: string, binary: CachedBinary): Promise<boolean> {
  return (await whyNotExecutable(cachedPath(cacheDir, binary))) === undefined
}

/**
 * Puts a binary into the cache. One process at a time makes it, in a folder of its own that becomes the cached one;
 * whoever comes meanwhile waits and uses the result. If the maker dies, the next one takes over at once and clears its
 * leavings away. `make` leaves the executable in the folder, under whatever name, and gives its path.
 */
export async function fillCache<Source extends string>(
  binary: CachedBinary,
  options: FindTemporalServerOptions,
  make: (folder: string) => Promise<{ readonly path: string; readonly source: Source }>,
): Promise<Source | 'cache'> {
  const { cacheDir, onProgress, signal } = options
  await mkdir(cacheDir, { recursive: true })
  const whileTaken = (wait: () => Promise<void>) =>
    withProgress(
      onProgress,
      elapsed => `waiting for the ${binary.title} that another process is making (${elapsed})`,
      wait,
    )

  return withFileLock(join(cacheDir, `${binary.folder}.lock`), { signal, whileTaken }, async () => {
    if (await isInCache(cacheDir, binary)) return 'cache'
    const stagingPrefix = `${binary.folder}.making-`
    await removeLeavings(cacheDir, stagingPrefix)
    const folder = await mkdtemp(join(cacheDir, stagingPrefix))
    try {
      const made = await make(folder)
      await rename(made.path, join(folder, binary.file))
      await moveIntoPlace(folder, join(cacheDir, binary.folder))
      return made.source
    } finally {
      await removeFolder(folder)
    }
  })
}

/** Only the holder of the lock makes anything, so whatever else is here belongs to the dead. */
async function removeLeavings(cacheDir: string, prefix: string): Promise<void> {
  const leavings = (await readdir(cacheDir)).filter(name => name.startsWith(prefix))
  await Promise.all(leavings.map(name => removeFolder(join(cacheDir, name))))
}

/** Retried: a compiler that is being killed may still put a file in. */
const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 10 })

async function moveIntoPlace(from: string, to: string): Promise<void> {
  // Contents first, name after: a power cut must not leave the name on an empty file, which nothing would repair.
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = await open(join(entry.parentPath, entry.name))
    await file.sync().finally(() => file.close())
  }
  // A folder without its executable may stand there: somebody has taken it out.
  await removeFolder(to)
  await rename(from, to)
}
