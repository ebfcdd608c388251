import type { ProcessId } from '../../model/ids.ts'
import type { EndedPlace, KeepReason, PruneRequest, Tombstone } from '../../model/retention.ts'

/** What becomes of processes that nobody needs any more; see `model/retention.ts`. */
export interface RetentionOperations {
  /**
   * One page, in one transaction, of the ended processes that changed last before a time, the oldest first: each is
   * deleted with its log, journal, waits, wakes, grants and lease, and leaves a tombstone, or is kept, with the reason.
   * Running ones are never touched. With `next` as `after` the same pruning goes on; absent, it is done. `limit`
   * defaults to 100. Nobody who waits is told: an ended process has nobody who waits for it.
   */
  prune(
    request: PruneRequest,
    page?: { readonly after?: EndedPlace; readonly limit?: number },
  ): Promise<PrunePage>
  /** What a prune of the same page would take and keep, decided now by the same rule. Nothing is written. */
  planPrune(
    request: PruneRequest,
    page?: { readonly after?: EndedPlace; readonly limit?: number },
  ): Promise<PrunePlan>
  /** The store's clock, by which ages are counted. */
  now(): Promise<number>
  /** What is left of a pruned process. */
  tombstone(id: string): Promise<Tombstone | undefined>
  /**
   * Forgets those pruned before this time, the oldest first, at most `limit` (default 100, at most 1,000), and returns
   * how many. Their ids are unknown from then on; so a repeated start of one does its work again. What is left of
   * sessions deleted before this time goes with them, and what occurred before it and started nothing that is still there:
   * the key of such an occurrence is a new one from then on.
   */
  compactTombstones(before: number, limit?: number): Promise<number>
}

export interface PrunePage {
  readonly prunedProcesses: number
  readonly prunedEvents: number
  /** Old enough, and kept. */
  readonly kept: readonly KeptProcess[]
  readonly next?: EndedPlace
}

export interface PrunePlan extends Pick<PrunePage, 'kept' | 'next'> {
  readonly goes: readonly ProcessId[]
}

export interface KeptProcess {
  readonly id: ProcessId
  readonly reason: KeepReason
}
