import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { whyNotExecutable } from './executable.ts'
import { withFileLock } from './file-lock.ts'
import { withProgress } from './progress.ts'
import {
  EXECUTABLE_SUFFIX,
  type FindTemporalServerOptions,
  TEMPORAL_CLI_VERSION,
  type TemporalBinary,
} from './temporal-cli.ts'

const NAME = `temporal-cli-${TEMPORAL_CLI_VERSION}`
const STAGING_PREFIX = `${NAME}.making-`

/** Where the binary stands in the cache. What stands there is whole: it comes by a rename, never by writing. */
export const cachedPath = (cacheDir: string): string => join(cacheDir, NAME, `temporal${EXECUTABLE_SUFFIX}`)

export async function findInCache(cacheDir: string): Promise<TemporalBinary | undefined> {
  const path = cachedPath(cacheDir)
  return (await whyNotExecutable(path)) === undefined ? { path, source: 'cache' } : undefined
}

/**
 * Puts a binary into the cache. One process at a time makes it, in a folder of its own; whoever comes meanwhile
 * waits and uses the result. If the maker dies, the next one takes over at once and clears its leavings away.
 */
export async function fillCache(
  options: FindTemporalServerOptions,
  make: (folder: string) => Promise<TemporalBinary>,
): Promise<TemporalBinary> {
  const { cacheDir, onProgress, signal } = options
  await mkdir(cacheDir, { recursive: true })
  const whileTaken = (wait: () => Promise<void>) =>
    withProgress(
      onProgress,
      elapsed => `waiting for the Temporal CLI that another process is making (${elapsed})`,
      wait,
    )

  return withFileLock(join(cacheDir, `${NAME}.lock`), { signal, whileTaken }, async () => {
    const madeMeanwhile = await findInCache(cacheDir)
    if (madeMeanwhile !== undefined) return madeMeanwhile
    await removeLeavings(cacheDir)
    const folder = await mkdtemp(join(cacheDir, STAGING_PREFIX))
    try {
      const made = await make(folder)
      await moveIntoPlace(made.path, cachedPath(cacheDir))
      return { path: cachedPath(cacheDir), source: made.source }
    } finally {
      await removeFolder(folder)
    }
  })
}

/** Only the holder of the lock makes anything, so whatever else is here belongs to the dead. */
async function removeLeavings(cacheDir: string): Promise<void> {
  const leavings = (await readdir(cacheDir)).filter(name => name.startsWith(STAGING_PREFIX))
  await Promise.all(leavings.map(name => removeFolder(join(cacheDir, name))))
}

/** Retried: a compiler that is being killed may still put a file in. */
const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 10 })

async function moveIntoPlace(from: string, to: string): Promise<void> {
  // Contents first, name after: a power cut must not leave the name on an empty file, which nothing would repair.
  const file = await open(from)
  await file.sync().finally(() => file.close())
  await mkdir(dirname(to), { recursive: true })
  await rename(from, to)
}
