import type { ProcessId } from '../../model/ids.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import type { PageRequest } from '../../model/list.ts'
import type { DiscardReason, StoredWake, WakeClaim, WakeSettlement } from '../../model/outbox.ts'
import type { SessionScope } from '../../model/session-scope.ts'
import type { WakeDelivery } from '../../model/wake.ts'

/** The way of wakes to their sessions. Whoever delivers claims, hands over, and settles; see `model/outbox.ts`. */
export interface OutboxOperations {
  /** Takes the heads of groups that are due, the longest due first, and gives up those whose time is over. */
  claimWakes(
    options?: ClaimWakesOptions,
  ): Promise<{ readonly claims: readonly WakeClaim[]; readonly expired: readonly WakeDelivery[] }>
  /** Throws `wake_claim_lost` where another holds the wake by now. */
  settleWake(claim: WakeClaim, settlement: WakeSettlement): Promise<void>
  /** Tries again what holds up a group. Throws `wake_not_blocked` for anything else. */
  redriveWake(wakeId: string): Promise<void>
  /** Sends the process's undelivered wakes of one session to another, in their order. Returns how many. */
  retargetWakes(id: string, fromSessionId: string, to: SessionScope): Promise<number>
  /** The groups that a given-up wake holds up, by its id; `after` is the last one's `wakeId`. */
  blockedGroups(page?: PageRequest): Promise<BlockedGroup[]>
  /** The outbox's rows of one process, in order of sequence. `limit` defaults to 1,000. */
  wakesOf(id: string, limit?: number): Promise<StoredWake[]>
  /** Milliseconds until a wake can be claimed; absent while none can. */
  msUntilWakeDue(): Promise<number | undefined>
}

export interface ClaimWakesOptions {
  /** Default 32. */
  readonly limit?: number
  /** The announced worker that claims: a proof of its death frees them (`proveWorkerDead`). Absent: they lapse after 30 s. */
  readonly worker?: LeaseOwner
}

export interface BlockedGroup {
  readonly sessionId: string
  readonly processId: ProcessId
  /** The one to redrive. */
  readonly wakeId: string
  readonly reason: DiscardReason
  readonly atMs: number
  /** Wakes that stand behind it. */
  readonly waiting: number
}
