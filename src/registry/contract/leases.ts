import type { LeaseCompletion } from '../../model/attempt.ts'
import type { ClaimOutcome, DeathEvidence, LeaseOwner, ProcessLease } from '../../model/lease.ts'

/** The contract's leases. Execution takes its leases by `beginAttempt`. */
export interface LeaseOperations {
  claim(id: string, owner: LeaseOwner, ttlMs: number): Promise<ClaimOutcome>
  /** For a busy holder proven dead: acquires only if the stored lease still is `observed`. */
  reclaim(
    id: string,
    owner: LeaseOwner,
    observed: ProcessLease,
    options: { readonly ttlMs: number; readonly evidence?: DeathEvidence },
  ): Promise<ClaimOutcome>
  /** Extends exactly the lease presented; throws `process_lease_lost`. */
  renew(lease: ProcessLease, ttlMs: number): Promise<ProcessLease>
  /** Takes a lapsed but unsuperseded lease again, with the same incarnation and the next fence; throws `process_lease_lost`. */
  reacquire(lease: ProcessLease, ttlMs: number): Promise<ProcessLease>
  /** The last holder, possibly expired; absent when released or never claimed. */
  getLease(id: string): Promise<ProcessLease | undefined>
  /** Idempotent; a stale token is silently ignored. The fence is kept. */
  release(completion: LeaseCompletion): Promise<void>
  /** A lease of the registry itself, for work of which one worker at a time should do: the sweep. */
  claimDuty(
    duty: string,
    owner: LeaseOwner,
    options: { readonly ttlMs: number; readonly evidence?: DeathEvidence },
  ): Promise<ClaimOutcome>
}
