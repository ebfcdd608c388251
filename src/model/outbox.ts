/**
 * The outbox holds each wake until the target session has it. Its row is written in the transaction of its event.
 *
 *   (event) ──▶ pending ──claim──▶ enqueuing ──enqueued──▶ enqueued
 *                 ▲  │                │  └──────discard──▶ discarded
 *                 │  └──expired───────┼─────────────────────▶ │
 *                 ├──retry, or death──┘                        │
 *                 └────redrive─────────────────────────────────┘
 *
 * The wakes of one process for one session are a group and go in order of sequence: only its first open one, the head,
 * has a due time. A head that was given up keeps those behind it, until somebody redrives it: the session must not hear
 * the end of a story whose middle is missing.
 */
import { doubling } from './due.ts'
import { LeaseholdError } from './errors.ts'
import type { SessionScope } from './session-scope.ts'
import { redirectWake, type WakeDelivery } from './wake.ts'

/** Every number of the delivery. */
export const OUTBOX = {
  /** Wakes claimed at once unless the caller says otherwise. */
  batch: 32,
  /** A claim that is not settled by then may be taken over: its holder has died without proof, or hangs. */
  staleClaimMs: 30_000,
  /** A wake that could not be delivered for so long, counted from when it could first be tried. */
  expiryMs: 7 * 24 * 60 * 60 * 1_000,
  /** 50 ms, doubling to 5 min. */
  retryAfterMs: (attempts: number): number => doubling(50, attempts - 1, 300_000),
} as const

export interface StoredWake {
  readonly delivery: WakeDelivery
  readonly status: 'pending' | 'enqueuing' | 'enqueued' | 'discarded'
  /** Grows with each write: of two writers that read the same, one wins. */
  readonly version: number
  /** Claims so far. */
  readonly attempts: number
  /** When it may be claimed; absent where it may not: it stands behind another one, or is settled. */
  readonly dueAtMs?: number
  readonly expiresAtMs: number
  /** While `enqueuing`: what its claimer has to show. */
  readonly claimToken?: string
  /** While `enqueuing`: the worker that hands it over, by incarnation. A proof of its death frees the wake. */
  readonly claimedBy?: string
  readonly discarded?: { readonly reason: DiscardReason; readonly atMs: number }
}

export const DISCARD_REASONS = [
  /** It could not be delivered in time. */
  'expired',
  /** The session was deleted for good. One that was never there is retried. */
  'target_gone',
  /** The session was closed, and takes nothing new. */
  'target_closed',
  /** It goes to another session instead. */
  'retargeted',
  /** The session has heard of this or a later event of the process already. */
  'sequence_rewound',
] as const

export type DiscardReason = (typeof DISCARD_REASONS)[number]

/** A wake in somebody's hands. */
export interface WakeClaim {
  readonly delivery: WakeDelivery
  readonly claimToken: string
  /** From 1. */
  readonly attempt: number
}

/** What came of handing it over. `retry`: not now, for whatever reason. */
export type WakeSettlement =
  | { readonly type: 'enqueued' }
  | { readonly type: 'retry' }
  | { readonly type: 'discard'; readonly reason: DiscardReason }

/** Lost: these hold up their group. A wake that went elsewhere, or was heard before, leaves no gap. */
const BLOCKING: ReadonlySet<DiscardReason> = new Set(['expired', 'target_gone', 'target_closed'])

export const isBlockingWake = ({ discarded }: StoredWake): boolean =>
  discarded !== undefined && BLOCKING.has(discarded.reason)

/** Does it stand before the later ones of its group? */
export const isOpenWake = (wake: StoredWake): boolean =>
  wake.status === 'pending' || wake.status === 'enqueuing' || isBlockingWake(wake)

export function newWake(delivery: WakeDelivery, isHead: boolean, now: number): StoredWake {
  const wake = { delivery, status: 'pending', version: 1, attempts: 0 } as const
  return { ...wake, expiresAtMs: now + OUTBOX.expiryMs, ...(isHead ? { dueAtMs: now } : {}) }
}

/** A wake that was sent elsewhere comes back: it is delivered here after all. Any other that is there already stays. */
export function decideReviveWake(known: StoredWake, isHead: boolean, now: number): StoredWake | undefined {
  if (known.discarded?.reason !== 'retargeted') return undefined
  return { ...newWake(known.delivery, isHead, now), version: known.version + 1 }
}

/** The wake at the head of its group: it can be tried from now on, and has its whole time for it. */
export function promoteWake(wake: StoredWake, now: number): StoredWake {
  if (wake.status !== 'pending' || wake.dueAtMs !== undefined) return wake
  return { ...changed(wake), dueAtMs: now, expiresAtMs: now + OUTBOX.expiryMs }
}

/** Another one comes before it; one that is being handed over goes on. */
export function demoteWake(wake: StoredWake): StoredWake {
  if (wake.status !== 'pending' || wake.dueAtMs === undefined) return wake
  const { dueAtMs: _, ...rest } = changed(wake)
  return rest
}

export type ClaimWakeDecision =
  | { readonly type: 'claimed'; readonly wake: StoredWake; readonly claim: WakeClaim }
  | { readonly type: 'expired'; readonly wake: StoredWake }
  | { readonly type: 'not_due' }

/** `claimedBy`: the incarnation of the worker that claims, where it is one. */
export function decideClaimWake(
  wake: StoredWake,
  { claimToken, claimedBy }: { readonly claimToken: string; readonly claimedBy?: string | undefined },
  now: number,
): ClaimWakeDecision {
  if (wake.dueAtMs === undefined || wake.dueAtMs > now) return { type: 'not_due' }
  if (wake.expiresAtMs <= now) return { type: 'expired', wake: discardWake(wake, 'expired', now) }
  const attempt = wake.attempts + 1
  const claimed = { status: 'enqueuing', claimToken, attempts: attempt } as const
  const { claimedBy: _, ...free } = changed(wake)
  return {
    type: 'claimed',
    wake: {
      ...free,
      ...claimed,
      ...(claimedBy === undefined ? {} : { claimedBy }),
      dueAtMs: now + OUTBOX.staleClaimMs,
    },
    claim: { delivery: wake.delivery, claimToken, attempt },
  }
}

/** Throws `wake_claim_lost` unless the claim is the one that holds the wake. */
export function decideSettleWake(
  wake: StoredWake | undefined,
  claim: WakeClaim,
  settlement: WakeSettlement,
  now: number,
): StoredWake {
  if (wake?.status !== 'enqueuing' || wake.claimToken !== claim.claimToken) throw claimLost(claim)
  const settled = unclaimed(wake)
  switch (settlement.type) {
    case 'enqueued':
      return { ...settled, status: 'enqueued' }
    case 'retry':
      return { ...settled, status: 'pending', dueAtMs: now + OUTBOX.retryAfterMs(wake.attempts) }
    case 'discard':
      return discardWake(wake, settlement.reason, now)
  }
}

/**
 * Its worker is proven dead, and others need not wait until the claim is stale. The claim settles nothing any more, also
 * where somebody's word was the proof and the worker lives. `undefined`: the worker does not hold it.
 */
export function decideFreeWake(
  wake: StoredWake | undefined,
  worker: string,
  now: number,
): StoredWake | undefined {
  if (wake?.status !== 'enqueuing' || wake.claimedBy !== worker) return undefined
  return { ...unclaimed(wake), status: 'pending', dueAtMs: now }
}

/** A wake that holds up its group is tried again, as if it were new. Throws `wake_not_blocked` for any other. */
export function decideRedriveWake(wake: StoredWake | undefined, wakeId: string, now: number): StoredWake {
  if (wake === undefined || !isBlockingWake(wake)) {
    const found = wake === undefined ? 'there is no such wake' : `it is ${wake.status}`
    throw new LeaseholdError(
      'wake_not_blocked',
      `The wake "${wakeId}" does not hold up others: ${found}. Only one that was given up can be redriven; the blocked ones are listed with their ids.`,
      { details: { wakeId } },
    )
  }
  const { discarded: _, ...rest } = changed(wake)
  return { ...rest, status: 'pending', attempts: 0, dueAtMs: now, expiresAtMs: now + OUTBOX.expiryMs }
}

/** The wake given up here, and the delivery of it elsewhere. One that is in somebody's hands stays: only they can settle it. */
export function decideRetargetWake(
  wake: StoredWake,
  target: SessionScope,
  now: number,
): { readonly wake: StoredWake; readonly delivery: WakeDelivery } | undefined {
  if (wake.status === 'enqueuing') return undefined
  return { wake: discardWake(wake, 'retargeted', now), delivery: redirectWake(wake.delivery, target) }
}

function discardWake(wake: StoredWake, reason: DiscardReason, now: number): StoredWake {
  return { ...unclaimed(wake), status: 'discarded', discarded: { reason, atMs: now } }
}

function unclaimed(wake: StoredWake): Omit<StoredWake, 'claimToken' | 'claimedBy' | 'dueAtMs'> {
  const { claimToken: _, claimedBy: __, dueAtMs: ___, ...rest } = changed(wake)
  return rest
}

const changed = (wake: StoredWake): StoredWake => ({ ...wake, version: wake.version + 1 })

const claimLost = ({ delivery, attempt }: WakeClaim): LeaseholdError =>
  new LeaseholdError(
    'wake_claim_lost',
    `The claim on wake "${delivery.wakeId}" (attempt ${attempt}) is lost: it was settled, or its worker was taken for dead, or it was taken over after ${OUTBOX.staleClaimMs} ms. Nothing was changed; whoever holds the wake now goes on.`,
    { processId: delivery.processId, details: { wakeId: delivery.wakeId } },
  )
