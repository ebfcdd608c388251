import type { WatchedRegistry } from '../registry/watch.ts'
import type { InlineRunHandle } from './inline-run-handle.ts'

/** The inline workers of this OS process, by the registry that they share with its clients. */
const handles = new WeakMap<WatchedRegistry, Set<InlineRunHandle>>()

/** From now on clients of the registry in this OS process hand it their processes directly. Returns how to end that. */
export function offerLocally(registry: WatchedRegistry, handle: InlineRunHandle): () => void {
  const offered = handles.get(registry) ?? new Set()
  handles.set(registry, offered.add(handle))
  return () => {
    offered.delete(handle)
  }
}

/** An inline worker of this OS process; absent where there is none, and the work is for those of others. */
export function localRunHandle(registry: WatchedRegistry): InlineRunHandle | undefined {
  const [handle] = handles.get(registry) ?? []
  return handle
}
