import { alreadyTerminal } from './completion.ts'
import type { LeaseOwner, StoredLease } from './lease.ts'
import { isTerminal } from './outcome.ts'
import type { FirstStarted, ProcessRecord } from './process.ts'

/** What somebody who starts a process outside of an attempt says of it. */
export interface FirstStartRequest {
  readonly owner: LeaseOwner
  readonly startedAtMs: number
}

/**
 * The fact to record; `undefined` where one stands already, because the first start stays for ever. The owner's own
 * incarnation is its attempt: no other attempt may then run the body of an owner-bound process.
 */
export function decideFirstStarted(
  record: ProcessRecord,
  lease: StoredLease | undefined,
  { owner, startedAtMs }: FirstStartRequest,
): FirstStarted | undefined {
  if (record.firstStarted !== undefined) return undefined
  if (isTerminal(record.status)) throw alreadyTerminal(record)
  return { owner, attempt: owner.incarnationId, fence: lease?.fence ?? 0, startedAtMs }
}
