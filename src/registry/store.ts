import type { ProcessId } from '../model/ids.ts'
import type { HostTransaction } from './host-transaction.ts'
import type { ProcessChange } from './store/answers.ts'
import type { Operation } from './store/operation.ts'
import type { StoreReader } from './store/reader.ts'
import type { StoreTransaction } from './store/transaction.ts'

export type * from './store/answers.ts'
export type { Operation, StoreReader, StoreTransaction }

export type DurabilityTier = 'inline' | 'durable'

/**
 * What somebody who writes a store provides. It loads, saves and guards; it decides nothing. What is large in the inputs,
 * payloads, values and outcomes that it is given, it keeps once however often it is saved (`model/blob.ts`), and gives
 * back whole.
 */
export interface ProcessStore {
  /** Random, written when the store was made; the same for everybody who opens it. */
  readonly registryId: string
  readonly durabilityTier: DurabilityTier
  /**
   * Only OS processes of one machine can have it open, as with a file: a worker in it that began before the machine's last
   * boot is dead. Where others reach it, as over a network, that may be the worker of a clone. Default: false.
   */
  readonly isOfOneMachine?: boolean
  /**
   * All or nothing. Resolves only when the commit is durable; an error thrown by the body rolls everything back. The
   * body may run more than once, and only the run that is committed counts: it acts on nothing but `tx`.
   */
  transaction<T>(body: (tx: StoreTransaction) => Operation<T>): Promise<T>
  /**
   * Runs the body inside a transaction of the host's own, on the host's connection: it is committed, or not, with all
   * that the host writes there. What the body throws takes back only what the body wrote. Throws `transaction_required`,
   * and `registry_mismatch` where the connection leads to another registry. Absent: the store has no such connections.
   */
  join?<T>(host: HostTransaction, body: (tx: StoreTransaction) => Operation<T>): Promise<T>
  /** One consistent snapshot of what is committed. */
  read<T>(body: (tx: StoreReader) => Operation<T>): Promise<T>
  /**
   * Calls the listener when something may have been committed, by this OS process or another; it may also be called for
   * nothing. `ids` are the rows that were changed, where the store knows them: they can be read at once, without a look
   * at the feed. A process whose streams have grown is named by `streamOf(id)` (`change-hub.ts`). `changes` say what the
   * feed would, where the store knows that too. `everyMs` bounds the delay where the store has to look for itself.
   * Returns how to stop.
   */
  watch(listener: StoreListener, options: { readonly everyMs: number }): () => void
  /** May be called twice. Work in flight ends first. */
  close(): Promise<void>
}

export type StoreListener = (ids?: readonly ProcessId[], changes?: readonly ProcessChange[]) => void
