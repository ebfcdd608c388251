import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startGuarded } from './guarded-command.ts'
import { withProgress } from './progress.ts'
import { siblingScript } from './sibling-script.ts'
import type { FindTemporalServerOptions } from './temporal-cli.ts'

/** A network that swallows packets answers never: without a new byte for this long the download is given up. */
const STALLED_MS = 15_000
const LOOK_EVERY_MS = 1_000

/** The SDK answers a SIGTERM by draining its workers. There are none, and it would wait all the same. */
const GRACE_MS = 500

export interface SdkDownload {
  readonly server: 'dev-server' | 'time-skipping'
  readonly version: string
  /** For people. */
  readonly title: string
}

/** Has Temporal's SDK download a server into `folder`, and gives its path. Throws with the reason if it cannot. */
export async function downloadBySdk(
  { server, version, title }: SdkDownload,
  folder: string,
  options: FindTemporalServerOptions,
): Promise<string> {
  const { env, onProgress, signal } = options
  let bytes = 0
  let movedAt = performance.now()
  const child = startGuarded(process.execPath, [siblingScript('sdk-download'), server, folder, version], {
    env,
    signal,
    graceMs: GRACE_MS,
  })
  let stalled = false
  const watch = setInterval(async () => {
    const now = await bytesIn(folder)
    if (now !== bytes) movedAt = performance.now()
    bytes = now
    if (performance.now() - movedAt < STALLED_MS) return
    stalled = true
    void child.stop()
  }, LOOK_EVERY_MS)
  const exit = await withProgress(
    onProgress,
    elapsed => `downloading the ${title} (${elapsed}, ${Math.round(bytes / 1e6)} MB)`,
    () => child.exited,
  ).finally(() => clearInterval(watch))
  signal?.throwIfAborted()

  // The SDK also starts what it downloads, with five seconds for it. A slow machine fails that, yet has the file.
  const file = (await readdir(folder)).find(isComplete)
  if (file !== undefined) return join(folder, file)
  if (stalled) throw new Error(`nothing arrived for ${STALLED_MS / 1000} s`)
  throw new Error(exit.stderr.split('\n').at(-1) || `the download ended with exit code ${exit.code}`)
}

/** The SDK writes to `*.downloading` and renames when it has everything. */
const isComplete = (name: string): boolean => name.startsWith('temporal') && !name.endsWith('.downloading')

async function bytesIn(folder: string): Promise<number> {
  // The file may be renamed between the listing and the look; and the folder is gone after an abort.
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(
    names.map(name =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
