import { isDeepStrictEqual } from 'node:util'
import type { ProcessLease } from '../../../src/model/lease.ts'
import { type Call, OPERATIONS } from './call.ts'

interface Taken {
  readonly id: string
  readonly lease: ProcessLease
  readonly call: Call
  readonly returnedAt: number
}

/** What the calls of one process say about its leases. */
export function checkLeases(calls: readonly Call[]): string[] {
  const taken = calls.flatMap((call): Taken[] =>
    call.answer?.type === 'done' && call.answer.lease !== undefined
      ? [{ id: call.id, lease: call.answer.lease, call, returnedAt: call.answer.returnedAt }]
      : [],
  )
  return [
    ...oneHolderPerFence(taken),
    ...growingFences(taken),
    ...noneOverAnother(calls, taken),
    ...nothingUnderAnOldOne(calls, taken),
  ]
}

function oneHolderPerFence(taken: readonly Taken[]): string[] {
  const first = new Map<number, Taken>()
  return taken.flatMap(one => {
    const { fencingToken, leaseToken } = one.lease
    const other = first.get(fencingToken) ?? one
    first.set(fencingToken, other)
    return other.lease.leaseToken === leaseToken
      ? []
      : [`fence ${fencingToken} was given to ${other.id} and to ${one.id}`]
  })
}

/** Whoever asks after another was told a fence is given the same one or a greater. */
const growingFences = (taken: readonly Taken[]): string[] =>
  taken.flatMap(one => {
    const before = newestBefore(taken, one.call.invokedAt)
    return before !== undefined && before.lease.fencingToken > one.lease.fencingToken
      ? [
          `${one.id} was given fence ${one.lease.fencingToken}, and ${before.id} ${before.lease.fencingToken} before`,
        ]
      : []
  })

/** No lease is given while another is live, unless that was given up or its holder was said to be dead. */
function noneOverAnother(calls: readonly Call[], taken: readonly Taken[]): string[] {
  const fences = [...new Set(taken.map(({ lease }) => lease.fencingToken))].sort((a, b) => a - b)
  return fences.flatMap(fence => {
    const expiry = Math.max(...leasesOf(taken, fence).map(({ lease }) => lease.expiresAtMs))
    const [next] = leasesOf(taken, fence + 1)
    if (next === undefined || next.call.operation === 'reclaim') return []
    const isGivenUp = calls.some(
      ({ lease, operation, invokedAt, answer }) =>
        lease?.fencingToken === fence &&
        OPERATIONS[operation] === 'give up' &&
        answer?.type !== 'refused' &&
        invokedAt < next.returnedAt,
    )
    return isGivenUp || next.lease.claimedAtMs >= expiry
      ? []
      : [
          `fence ${fence} was live until ${expiry}, and ${next.id} was given the next at ${next.lease.claimedAtMs}`,
        ]
  })
}

/** Releasing and ending say "done" to anybody: they have nothing to do under a lease that is not held. */
const IGNORES_OLD_LEASES: ReadonlySet<string> = new Set(['release', 'endAttempt'])

const nothingUnderAnOldOne = (calls: readonly Call[], taken: readonly Taken[]): string[] =>
  calls.flatMap(({ id, operation, lease, invokedAt, answer }) => {
    if (lease === undefined || answer?.type !== 'done' || IGNORES_OLD_LEASES.has(operation)) return []
    const newer = newestBefore(taken, invokedAt)
    const isSuperseded = newer !== undefined && newer.lease.fencingToken > lease.fencingToken
    return isSuperseded && !calls.some(other => isSameEnd(other, { lease, answer }))
      ? [
          `${id} did ${operation} under fence ${lease.fencingToken} after ${newer.id} had ${newer.lease.fencingToken}`,
        ]
      : []
  })

/**
 * Whoever asks for the very end that is stored is told that it stands, under whichever lease: both holders of a process
 * that has only to be settled ask for the same. Somebody must have been entitled to write it.
 */
const isSameEnd = (
  other: Call,
  { lease, answer }: { lease: ProcessLease; answer: Extract<Call['answer'], { type: 'done' }> },
): boolean =>
  (other.operation === 'complete' ||
    (other.operation === 'completeWithLease' &&
      other.lease !== undefined &&
      other.lease.fencingToken > lease.fencingToken)) &&
  other.invokedAt < answer.returnedAt &&
  other.answer?.type !== 'refused' &&
  (other.answer?.type !== 'done' || isDeepStrictEqual(other.answer.outcome, answer.outcome))

const leasesOf = (taken: readonly Taken[], fence: number): Taken[] =>
  taken
    .filter(({ lease }) => lease.fencingToken === fence)
    .sort((left, right) => left.lease.claimedAtMs - right.lease.claimedAtMs)

/** The greatest fence that somebody had been told by then. */
function newestBefore(taken: readonly Taken[], at: number): Taken | undefined {
  let newest: Taken | undefined
  for (const one of taken) {
    const isNewer = newest === undefined || one.lease.fencingToken > newest.lease.fencingToken
    if (one.returnedAt < at && isNewer) newest = one
  }
  return newest
}
