import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const SQLITE_BUSY = 5
const RETRY_MS = 100

export interface FileLockOptions {
  /** Ends the wait for the lock, not the work inside it. */
  readonly signal?: AbortSignal | undefined
  /** Called only if the lock is taken, around the wait for it: the place to say so. */
  readonly whileTaken: (wait: () => Promise<void>) => Promise<void>
}

/**
 * Runs `work` while no other process (nor another call in this one) is inside the same lock.
 *
 * The lock is SQLite's own exclusive transaction on an empty file, because that is a lock of the operating
 * system: it is gone the moment its owner is, SIGKILL included. A lock folder kept alive by its time stamp,
 * as the lock packages on npm have it, would be taken from a laptop that slept and stay for a while after a kill.
 */
export async function withFileLock<T>(
  path: string,
  options: FileLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { signal, whileTaken } = options
  const file = new DatabaseSync(path)
  try {
    if (!tryLock(file)) {
      await whileTaken(async () => {
        do {
          await sleep(RETRY_MS)
          signal?.throwIfAborted()
        } while (!tryLock(file))
      })
    }
    return await work()
  } finally {
    // Closing rolls the transaction back, and with it the lock.
    file.close()
  }
}

function tryLock(file: DatabaseSync): boolean {
  try {
    file.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false
    throw error
  }
}
