import type { RegistrySource } from '../registry/source.ts'
import { type WatchedRegistry, watchRegistry } from '../registry/watch.ts'

interface Opened {
  readonly registry: Promise<WatchedRegistry>
  users: number
}

/** Client and worker of one OS process share a registry, so that what one writes wakes the other at once. */
const opened = new WeakMap<RegistrySource, Opened>()

export interface RegistryLoan {
  readonly registry: WatchedRegistry
  /** May be called twice. The registry is closed when its last user has given it back. */
  release(): Promise<void>
}

export async function borrowRegistry(source: RegistrySource): Promise<RegistryLoan> {
  const entry = opened.get(source) ?? { registry: open(source), users: 0 }
  opened.set(source, entry)
  entry.users++
  let isReleased = false
  const release = async () => {
    if (isReleased) return
    isReleased = true
    entry.users--
    if (entry.users > 0) return
    if (opened.get(source) === entry) opened.delete(source)
    await (await entry.registry).close()
  }
  try {
    return { registry: await entry.registry, release }
  } catch (error) {
    // What could not be opened is tried anew the next time.
    if (opened.get(source) === entry) opened.delete(source)
    throw error
  }
}

const open = async (source: RegistrySource): Promise<WatchedRegistry> => watchRegistry(await source.open())
