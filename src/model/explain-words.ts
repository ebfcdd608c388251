import { isApprovalKey } from './approval.ts'
import type { ProcessId } from './ids.ts'
import type { LeaseOwner } from './lease.ts'
import type { Situation } from './situation.ts'
import type { WaitState } from './wait.ts'

/** In UTC, so that lines of several machines can be compared. */
export const timeWords = (ms: number): string => new Date(ms).toISOString()

export function holderWords({ stored, lease, worker, now }: Situation): string {
  const holder = lease?.holder
  if (holder !== undefined && holder.expiresAtMs > now) {
    const until = `fence ${holder.fencingToken}, until ${timeWords(holder.expiresAtMs)} unless renewed`
    return `Held by ${ownerWords(worker?.worker ?? holder.owner)}; ${until}.`
  }
  if (holder !== undefined) {
    return `Held by nobody now; ${ownerWords(holder.owner)} let its lease (fence ${holder.fencingToken}) lapse at ${timeWords(holder.expiresAtMs)}.`
  }
  if (lease?.deathProof !== undefined) {
    const { owner, fence, provenAtMs } = lease.deathProof
    return `Held by nobody; ${ownerWords(owner)} (fence ${fence}) was proven dead at ${timeWords(provenAtMs)}.`
  }
  if (stored.record.attempts === 0) return 'Held by nobody, and never was.'
  return 'Held by nobody.'
}

function ownerWords({ ownerId, liveness }: LeaseOwner): string {
  return liveness.kind === 'opaque' ? ownerId : `${ownerId} (pid ${liveness.pid} on ${liveness.hostId})`
}

export function waitWords(id: string, { on, sinceMs, untilMs }: WaitState): string {
  const until = untilMs === undefined ? '' : ` until ${timeWords(untilMs)}`
  return `${conditionWords(id, on)}${until} (since ${timeWords(sinceMs)})`
}

function conditionWords(id: string, on: WaitState['on']): string {
  switch (on.type) {
    case 'timer':
      return 'a time'
    case 'signal':
      return `a signal "${on.name}"`
    case 'process':
      return `the end of process ${on.processId}`
    case 'event':
      return `an event ${on.eventType} of ${on.processId === id ? 'its own' : `process ${on.processId}`} after #${on.after}`
    case 'unknown_step':
      return `somebody to say what became of step ${on.step}`
    case 'external_key':
      return isApprovalKey(on.key)
        ? 'people to allow a tool call'
        : `the answer to a call that was left pending under key ${on.key}`
  }
}

/** What ends the wait. */
export function moveOfWait(id: ProcessId, { on, untilMs }: WaitState): string {
  const deadline = untilMs === undefined ? '' : `, or it is ${timeWords(untilMs)}`
  switch (on.type) {
    case 'timer':
      return untilMs === undefined ? 'Whoever set the wait clears it.' : `It is ${timeWords(untilMs)}.`
    case 'signal':
      return `Somebody signals it: leasehold signal ${id} ${on.name}${deadline}`
    case 'process':
      return `Process ${on.processId} ends${deadline}.`
    case 'event':
      return `Process ${on.processId} writes an event ${on.eventType}${deadline}.`
    case 'unknown_step':
      return `Somebody says what became of step ${on.step}: leasehold resolve ${id} '${on.step}'${deadline}`
    case 'external_key':
      if (isApprovalKey(on.key))
        return `People answer it: leasehold approve ${id} --by WHO, or deny; leasehold approvals ${id} shows the call${deadline}`
      return `Somebody answers it: leasehold complete --call '${on.key}' --success JSON${deadline}`
  }
}
