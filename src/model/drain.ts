import type { ProcessId } from './ids.ts'
import { isLive, type LeaseOwner, type StoredLease } from './lease.ts'
import { isTerminal, type Outcome } from './outcome.ts'
import type { StoredProcess } from './process.ts'

/** A durable request that a worker stops in order; it obeys, and reports what became of what it ran. */
export interface DrainRequest {
  readonly worker: LeaseOwner
  readonly requestedBy: string
  readonly requestedAtMs: number
  /** Present once the worker has stopped. */
  readonly report?: DrainReport
}

/** What became of the processes that a worker ran when it was told to stop. Each is in one of the lists. */
export interface DrainReport {
  /** Ended on their own, in time. */
  readonly ended: readonly ProcessId[]
  /** Given back, for any worker to go on with. */
  readonly released: readonly ProcessId[]
  /** Written as abandoned(owner_drain): owner-bound, begun here, and not ended in time. */
  readonly abandoned: readonly ProcessId[]
  /** Neither: they stay as they are, for somebody else to settle. */
  readonly deferred: readonly { readonly id: ProcessId; readonly reason: DeferReason }[]
}

export type DeferReason =
  /** A live lease is in the way. */
  | 'busy'
  /** No row of this id. */
  | 'absent'
  /** It ended by somebody else's hand. */
  | 'settled_by_peer'
  /** Another attempt holds it now. */
  | 'lease_lost'
  /** The registry could not be written. */
  | 'backend_error'

export type DrainDecision =
  | { readonly type: 'abandon'; readonly outcome: Extract<Outcome, { status: 'abandoned' }> }
  | { readonly type: 'deferred'; readonly reason: Extract<DeferReason, 'busy' | 'settled_by_peer'> }
  /** Nothing that this worker has to answer for. */
  | { readonly type: 'not_mine' }

/**
 * May the worker that started this process, and is about to be gone, end it now? Only what is owner-bound and began here:
 * any other worker may go on with the rest. Whoever holds its lease is not overtaken, be it the worker's own attempt.
 */
export function decideDrain(
  { record }: StoredProcess,
  lease: StoredLease | undefined,
  worker: LeaseOwner,
  now: number,
): DrainDecision {
  const { disposition, firstStarted, status } = record
  const isMine =
    firstStarted?.owner.ownerId === worker.ownerId &&
    firstStarted.owner.incarnationId === worker.incarnationId
  if (disposition !== 'owner_bound' || !isMine) return { type: 'not_mine' }
  if (isTerminal(status)) return { type: 'deferred', reason: 'settled_by_peer' }
  if (isLive(lease?.holder, now)) return { type: 'deferred', reason: 'busy' }
  const evidence = { writer: 'owner_drain', owner: firstStarted.owner, epochMs: now } as const
  return { type: 'abandon', outcome: { status: 'abandoned', evidence } }
}
