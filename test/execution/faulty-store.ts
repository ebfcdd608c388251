import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, LeaseholdError } from '../../src/model/errors.ts'
import { createMemoryStore } from '../../src/registry/memory/memory-store.ts'
import type { ProcessStore } from '../../src/registry/store.ts'

/** A real store that can be told to fail, as one whose disk is full or whose file is locked does. */
export interface FaultyStore extends ProcessStore {
  /** After so many transactions from now, so many fail. */
  failTransactions(options: { readonly after: number; readonly count: number }): void
  failReads(options: { readonly after: number; readonly count: number; readonly code?: ErrorCode }): void
  /** The next transaction is committed, and its answer comes late. */
  delayTransaction(options: { readonly ms: number }): void
}

export function createFaultyStore(store: ProcessStore = createMemoryStore()): FaultyStore {
  let toPass = 0
  let toFail = 0
  let readsToPass = 0
  let readsToFail = 0
  let readCode: ErrorCode = 'registry_locked'
  let delayMs = 0
  const refusal = (code: ErrorCode) => new LeaseholdError(code, 'The store cannot be used now.')
  return {
    ...store,
    transaction: async body => {
      if (toPass > 0) toPass--
      else if (toFail > 0) {
        toFail--
        throw refusal('registry_locked')
      }
      const answer = await store.transaction(body)
      // The delay is the fault: a store whose answer comes late.
      if (delayMs > 0) await sleep(delayMs)
      delayMs = 0
      return answer
    },
    read: async body => {
      if (readsToPass > 0) readsToPass--
      else if (readsToFail > 0) {
        readsToFail--
        throw refusal(readCode)
      }
      return store.read(body)
    },
    failTransactions: ({ after, count }) => {
      toPass = after
      toFail = count
    },
    delayTransaction: ({ ms }) => {
      delayMs = ms
    },
    failReads: ({ after, count, code = 'registry_locked' }) => {
      readsToPass = after
      readsToFail = count
      readCode = code
    },
  }
}
