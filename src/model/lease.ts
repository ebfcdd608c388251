import { hash } from 'node:crypto'
import { LeaseholdError } from './errors.ts'
import type { LeaseToken, ProcessId } from './ids.ts'

/** One life of something that may hold leases. Two owners are the same only if id and incarnation are equal. */
export interface LeaseOwner {
  readonly ownerId: string
  readonly incarnationId: string
  readonly liveness: Liveness
}

/** What others need to prove an owner dead. An opaque owner is never proven dead. */
export type Liveness =
  | { readonly kind: 'opaque' }
  | {
      readonly kind: 'local_process'
      /** Machine id and PID namespace, so that two containers of one node never judge each other. */
      readonly hostId: string
      readonly bootId: string
      readonly pid: number
      /** The kernel's start time of the pid: a pid used again by another program has another one. */
      readonly processStart: string
    }

export interface ProcessLease {
  readonly schemaVersion: 2
  readonly processId: ProcessId
  readonly owner: LeaseOwner
  readonly leaseToken: LeaseToken
  /** Starts at 1, grows with each acquisition, survives release. */
  readonly fencingToken: number
  readonly claimedAtMs: number
  readonly expiresAtMs: number
  /** The concurrency key that it counts against, while it is live (`Flow`). */
  readonly place?: string
}

/**
 * What the store keeps of a process's lease. The fence outlives every holder; a lapsed holder stays until somebody
 * else acquires, because its death may still have to be judged.
 */
export interface StoredLease {
  readonly fence: number
  readonly holder?: ProcessLease
  /** The worker that runs the holder's attempt, by incarnation: a proof of its death covers all of its leases. */
  readonly workerIncarnation?: string
  /** The execution backend's handle on the holder's attempt: failing it makes the backend start the next one. */
  readonly backendToken?: string
  /** Written when a holder was proven dead; cleared when the process runs again. A lease taken to settle it keeps it. */
  readonly deathProof?: DeathProof
}

export interface DeathProof {
  readonly owner: LeaseOwner
  readonly fence: number
  readonly provenAtMs: number
  /** Somebody's word that its host is gone. Absent: the operating system's. */
  readonly statedBy?: string
}

/** The operating system's word that a holder is dead, taken before the transaction: it names whom it speaks of. */
export interface DeathEvidence {
  readonly incarnationId: string
  readonly fence: number
}

export type ClaimOutcome =
  | { readonly type: 'acquired'; readonly lease: ProcessLease }
  | { readonly type: 'busy'; readonly holder: ProcessLease }

export interface LeaseTimings {
  readonly ttlMs: number
  readonly renewIntervalMs: number
}

export const DEFAULT_LEASE_TIMINGS: LeaseTimings = { ttlMs: 30_000, renewIntervalMs: 10_000 }

/** Both at least 1 ms, and three renewals fit into one lease, so that a single late one loses nothing. */
export function requireLeaseTimings(timings: LeaseTimings): LeaseTimings {
  const { ttlMs, renewIntervalMs } = timings
  if (!(renewIntervalMs >= 1) || !(ttlMs >= 3 * renewIntervalMs) || !Number.isInteger(ttlMs)) {
    throw new LeaseholdError(
      'lease_timings_invalid',
      `Lease timings need renewIntervalMs ≥ 1 and ttlMs ≥ 3 × renewIntervalMs, in whole milliseconds; found ttlMs ${ttlMs}, renewIntervalMs ${renewIntervalMs}.`,
    )
  }
  return timings
}

/** Renews three times within one lease. */
export const leaseTimingsFromTtl = (ttlMs: number): LeaseTimings =>
  requireLeaseTimings({ ttlMs, renewIntervalMs: ttlMs / 3 })

export const isSameIncarnation = (left: LeaseOwner, right: LeaseOwner): boolean =>
  left.ownerId === right.ownerId && left.incarnationId === right.incarnationId

export const isLive = (lease: ProcessLease | undefined, now: number): lease is ProcessLease =>
  lease !== undefined && lease.expiresAtMs > now

/** A claim: free, released or expired is acquired; the own live lease is extended; a foreign live one is busy. */
export function decideClaim(
  stored: StoredLease | undefined,
  request: { processId: ProcessId; owner: LeaseOwner; ttlMs: number },
  now: number,
): ClaimOutcome {
  const current = stored?.holder
  if (isLive(current, now)) {
    if (!isSameIncarnation(current.owner, request.owner)) return { type: 'busy', holder: current }
    return { type: 'acquired', lease: { ...current, expiresAtMs: now + request.ttlMs } }
  }
  return { type: 'acquired', lease: acquire(stored, request, now) }
}

/**
 * A claim against a live holder that is proven dead. Compare-and-swap: the evidence must name the very lease that is
 * stored, so a stale observation never removes a newer lease, and of two reclaimers one wins.
 */
export function decideReclaim(
  stored: StoredLease | undefined,
  request: {
    processId: ProcessId
    owner: LeaseOwner
    ttlMs: number
    observed: ProcessLease
    isProvenDead: boolean
  },
  now: number,
): ClaimOutcome {
  const current = stored?.holder
  if (!isLive(current, now)) return { type: 'acquired', lease: acquire(stored, request, now) }
  if (request.isProvenDead && isSameLease(current, request.observed)) {
    return { type: 'acquired', lease: acquire(stored, request, now) }
  }
  return { type: 'busy', holder: current }
}

/** A renewal extends the expiry of exactly the lease presented; anything else is `undefined`: missing or expired. */
export function decideRenew(
  stored: StoredLease | undefined,
  lease: ProcessLease,
  ttlMs: number,
  now: number,
): ProcessLease | undefined {
  if (!isCurrentLease(stored, lease, now)) return undefined
  return { ...lease, expiresAtMs: now + ttlMs }
}

/**
 * A holder whose lease lapsed without anybody superseding it (a laptop slept, a VM was paused) takes it again with
 * its own incarnation, under the next fence. `undefined`: somebody else came, and the lease is lost.
 */
export function decideReacquire(
  stored: StoredLease | undefined,
  lease: ProcessLease,
  ttlMs: number,
  now: number,
): ProcessLease | undefined {
  const isUnsuperseded = stored?.holder !== undefined && isSameLease(stored.holder, lease)
  if (!isUnsuperseded) return undefined
  if (isLive(stored.holder, now)) return { ...stored.holder, expiresAtMs: now + ttlMs }
  const { place } = stored.holder
  const acquired = acquire(stored, { processId: lease.processId, owner: lease.owner, ttlMs }, now)
  return place === undefined ? acquired : { ...acquired, place }
}

/** The fence of every write that a running process makes. */
export function isCurrentLease(stored: StoredLease | undefined, lease: ProcessLease, now: number): boolean {
  return isLive(stored?.holder, now) && isSameLease(stored.holder, lease)
}

export function isSameLease(left: ProcessLease, right: ProcessLease): boolean {
  return (
    left.processId === right.processId &&
    isSameIncarnation(left.owner, right.owner) &&
    left.leaseToken === right.leaseToken &&
    left.fencingToken === right.fencingToken
  )
}

/**
 * How far the store's clock is ahead of the caller's, in milliseconds. The store has read its own between the caller's
 * sending and hearing, so where both may show the same they do: a slow answer is no skew.
 */
export function clockSkew(storeMs: number, sentMs: number, heardMs: number): number {
  if (storeMs < sentMs) return storeMs - sentMs
  return storeMs > heardMs ? storeMs - heardMs : 0
}

/** Does the evidence speak of this very holder? Whether its lease is live or lapsed does not matter. */
export const namesHolder = (evidence: DeathEvidence | undefined, holder: ProcessLease | undefined): boolean =>
  evidence !== undefined &&
  holder !== undefined &&
  evidence.incarnationId === holder.owner.incarnationId &&
  evidence.fence === holder.fencingToken

/** The lease given back: the fence stays, and so does a proof, which may be about an earlier holder. */
export const freed = ({ fence, deathProof }: StoredLease): StoredLease => ({
  fence,
  ...(deathProof === undefined ? {} : { deathProof }),
})

export const leaseLost = (
  lease: ProcessLease,
  stored: StoredLease | undefined,
  now: number,
): LeaseholdError =>
  new LeaseholdError(
    'process_lease_lost',
    `The lease of process "${lease.processId}" (fence ${lease.fencingToken}) is missing or expired: ${describeLease(stored, now)}. Nothing was written; whoever holds the lease now goes on.`,
    { processId: lease.processId, details: { fence: lease.fencingToken, currentFence: stored?.fence } },
  )

function describeLease(stored: StoredLease | undefined, now: number): string {
  if (stored?.holder === undefined) return 'nobody holds it now'
  const { owner, fencingToken, expiresAtMs } = stored.holder
  return `the stored one is ${owner.ownerId}'s, fence ${fencingToken}, ${expiresAtMs > now ? 'live' : 'expired'}`
}

export function acquire(
  stored: StoredLease | undefined,
  request: { processId: ProcessId; owner: LeaseOwner; ttlMs: number },
  now: number,
): ProcessLease {
  const fencingToken = (stored?.fence ?? 0) + 1
  const { processId, owner, ttlMs } = request
  const seed = [processId, owner.ownerId, owner.incarnationId, now, fencingToken].join('\u0000')
  return {
    schemaVersion: 2,
    processId,
    owner,
    leaseToken: hash('sha256', seed) as LeaseToken,
    fencingToken,
    claimedAtMs: now,
    expiresAtMs: now + ttlMs,
  }
}
