import { randomUUID } from 'node:crypto'
import { LeaseholdError } from '../../model/errors.ts'
import { runSynchronously } from '../operation.ts'
import type { ProcessStore } from '../store.ts'
import { createMemoryReader } from './reader.ts'
import { MemoryState } from './state.ts'
import { createMemoryTransaction } from './transaction.ts'

export interface MemoryStoreOptions {
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly clock?: () => number
}

/** A store that lives and ends with this OS process: for tests, and for work that need not survive it. */
export function createMemoryStore({ clock = Date.now }: MemoryStoreOptions = {}): ProcessStore {
  const registryId = randomUUID()
  const state = new MemoryState()
  const reader = createMemoryReader(state, { registryId, clock })
  const transaction = createMemoryTransaction(state, reader)
  const watchers = new Set<{ readonly listener: () => void }>()
  let isClosed = false

  const requireOpen = (): void => {
    if (isClosed) throw new LeaseholdError('registry_closed', 'This registry was closed. Open a new one.')
  }
  const notify = (): void => {
    for (const watcher of watchers) {
      // In a turn of its own, so that a throwing listener harms neither the writer nor the other listeners.
      queueMicrotask(() => watchers.has(watcher) && watcher.listener())
    }
  }

  return {
    registryId,
    durabilityTier: 'inline',
    async transaction(body) {
      requireOpen()
      // Never inside the caller's own turn: a transaction started from the body of another one comes after it.
      await undefined
      try {
        const value = runSynchronously(body(transaction))
        if (state.undo.commit()) notify()
        return value
      } catch (error) {
        state.undo.rollBack()
        throw error
      }
    },
    async read(body) {
      requireOpen()
      return runSynchronously(body(reader))
    },
    watch(listener) {
      requireOpen()
      const watcher = { listener }
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    async close() {
      isClosed = true
      watchers.clear()
    },
  }
}
