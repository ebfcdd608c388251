/**
 * The life of one attempt, as the registry sees it:
 *
 *   beginAttempt ──run──▶ leased ──enterBody──▶ in the body ──complete──▶ terminal
 *        │                  │                       ├──park──────▶ parked   (waits stored, lease released)
 *        │                  │                       ├──release───▶ released (shutdown: due now; error: due later, and
 *        │                  │                       │                        later each time it fails at once)
 *        │                  └──────── lapse ────────┴──lapse─────▶ lapsed   (the next attempt counts this one as spent)
 *        └──settle──▶ leased, with an outcome to write at once; the body never runs
 *
 * Every other answer of beginAttempt claims nothing.
 */
import { DUE } from './due.ts'
import type { Turn } from './flow.ts'
import { isOfOtherProfile } from './host-profile.ts'
import type { LeaseToken } from './ids.ts'
import type { JournalEntry, unknownEffects } from './journal.ts'
import { asJson } from './json.ts'
import {
  acquire,
  type DeathEvidence,
  type DeathProof,
  isLive,
  isSameIncarnation,
  type LeaseOwner,
  namesHolder,
  type ProcessLease,
  type StoredLease,
} from './lease.ts'
import { isTerminal, type Outcome, type TerminalStatus } from './outcome.ts'
import type { FirstStarted, StoredProcess } from './process.ts'
import { earliestDeadline, isWaitDue } from './wait.ts'

export interface BeginAttemptRequest {
  /** The worker's identity: it stands in `firstStarted`, and is what the operating system is asked about. */
  readonly worker: LeaseOwner
  /** This attempt's incarnation, unique for each attempt, so that a live lease of an earlier one fences it off. */
  readonly attempt: string
  /** The backend's handle on this attempt; listed beside the lease until the attempt ends or is failed by it. */
  readonly backendToken?: string
  /** The operating system's word on the last holder, taken before the transaction. */
  readonly evidence?: DeathEvidence
  /** The worker's host profile: it takes no process that was made for another. */
  readonly hostProfileId?: string
  readonly ttlMs: number
}

/** The code is to run now. No cancel was recorded before. */
export interface BegunAttempt {
  readonly type: 'run'
  readonly lease: ProcessLease
  readonly process: StoredProcess
  /** What stands in the journal; for the first attempt, of which that is little. */
  readonly journal?: readonly JournalEntry[]
}

/** What one try to begin an attempt comes to. Only `run` and `settle` hold a lease. */
export type BeginAnswer =
  | BegunAttempt
  | { readonly type: 'settle'; readonly lease: ProcessLease; readonly outcome: Outcome }
  | { readonly type: 'terminal'; readonly status: TerminalStatus }
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'silent' }
  | { readonly type: 'external' }
  /** The process was made for another host profile than this worker's. */
  | { readonly type: 'other_profile'; readonly recorded: string }
  | { readonly type: 'busy'; readonly holder: ProcessLease; readonly remainingMs: number }
  /** It may run, but it is not its turn (`Flow`): somebody else's end or the time makes it due. */
  | { readonly type: 'queued'; readonly turn: Turn }
  | { readonly type: 'unknown' }

/** The decision without the lease that the two claiming answers take. */
export type BeginDecision =
  | { readonly type: 'run'; readonly attemptsSpent: number }
  /** `deathProof`: to be kept beside the lease, so that a settler that dies itself does not take it along. */
  | { readonly type: 'settle'; readonly outcome: Outcome; readonly deathProof?: DeathProof }
  | Exclude<BeginAnswer, { readonly type: 'run' | 'settle' | 'queued' | 'unknown' }>

/** The lease owner of one attempt: the worker's stem, and an incarnation of its own. */
export const attemptOwner = (worker: LeaseOwner, attempt: string): LeaseOwner => ({
  ownerId: `${worker.ownerId}:attempt:${attempt}`,
  incarnationId: attempt,
  liveness: worker.liveness,
})

/** The first rule that holds decides. The order is the contract: see each line. */
export function decideBeginAttempt(
  stored: StoredProcess,
  lease: StoredLease | undefined,
  request: BeginAttemptRequest,
  now: number,
): BeginDecision {
  const { record } = stored
  const holder = isLive(lease?.holder, now) ? lease.holder : undefined

  if (isTerminal(record.status)) return { type: 'terminal', status: record.status }

  if (record.disposition === 'externally_owned') {
    const mayClose = record.abandonRequest !== undefined && holder === undefined
    return mayClose ? settle({ writer: 'reconciled_request', epochMs: now }) : { type: 'external' }
  }

  if (isOfOtherProfile(record, request.hostProfileId))
    return { type: 'other_profile', recorded: record.provenance.hostProfileId ?? '' }

  const isOwn = holder?.owner.incarnationId === request.attempt
  if (holder !== undefined && !isOwn && !namesHolder(request.evidence, holder)) {
    return { type: 'busy', holder, remainingMs: holder.expiresAtMs - now }
  }

  // Started by another attempt, an owner-bound body never runs again: a cancel is no evidence of what happened either.
  const { firstStarted } = record
  if (
    record.disposition === 'owner_bound' &&
    firstStarted !== undefined &&
    firstStarted.attempt !== request.attempt
  ) {
    const dead = provenDeadStarter(firstStarted, lease, request.evidence, now)
    if (dead !== undefined) {
      const { owner, statedBy } = dead
      const stated = statedBy === undefined ? {} : { statedBy }
      return { ...settle({ writer: 'sweep', owner, ...stated, epochMs: now }), deathProof: dead }
    }
    if (record.abandonRequest !== undefined) {
      return settle({ writer: 'reconciled_request', owner: firstStarted.owner, epochMs: now })
    }
    return { type: 'silent' }
  }

  if (record.cancelRequest !== undefined) {
    return { type: 'settle', outcome: cancelledOutcome(record.cancelRequest.reason) }
  }

  if (record.waits.length > 0 && !record.waits.some(wait => isWaitDue(wait, now))) {
    const untilMs = earliestDeadline(record.waits)
    return { type: 'parked', ...(untilMs === undefined ? {} : { untilMs }) }
  }

  // An owner-bound body runs once at most; giving up on attempts that never reached it would end what never began.
  const attemptsSpent = stored.attemptsSpent + (stored.isAttemptOpen && !isOwn ? 1 : 0)
  const budget = record.disposition === 'rerunnable' ? record.maxAttempts : undefined
  if (budget !== undefined && attemptsSpent >= budget) {
    return settle({
      writer: 'engine_gave_up',
      ...(firstStarted === undefined ? {} : { owner: firstStarted.owner }),
      epochMs: now,
    })
  }
  return { type: 'run', attemptsSpent }
}

/**
 * Proof that the attempt which started the process is dead: on record, or by evidence that names it. A proof about
 * somebody else, who held the lease later to settle the process, says nothing of what the body did.
 */
function provenDeadStarter(
  firstStarted: FirstStarted,
  lease: StoredLease | undefined,
  evidence: DeathEvidence | undefined,
  now: number,
): DeathProof | undefined {
  const { attempt, fence, owner } = firstStarted
  if (lease?.deathProof?.owner.incarnationId === attempt) return lease.deathProof
  const holder = lease?.holder
  if (holder?.owner.incarnationId === attempt && namesHolder(evidence, holder)) {
    return { owner: holder.owner, fence: holder.fencingToken, provenAtMs: now }
  }
  const namesStarter = evidence?.incarnationId === attempt && evidence.fence === fence
  return namesStarter && holder?.owner.incarnationId !== attempt
    ? { owner, fence, provenAtMs: now }
    : undefined
}

const settle = (
  evidence: Extract<Outcome, { status: 'abandoned' }>['evidence'],
): Extract<BeginDecision, { type: 'settle' }> => ({
  type: 'settle',
  outcome: { status: 'abandoned', evidence },
})

/** `effects`: those that an attempt before left behind, and that nobody can vouch for. */
export const cancelledOutcome = (
  reason: string | undefined,
  effects: ReturnType<typeof unknownEffects> = [],
): Extract<Outcome, { status: 'cancelled' }> => ({
  status: 'cancelled',
  message: reason ?? 'cancelled on request',
  ...(effects.length === 0 ? {} : { raw: asJson({ unknownEffects: effects }) }),
})

/** The lease that a claiming answer takes: a fresh one, or the own live one extended (the same request, sent twice). */
export function leaseForAttempt(
  processId: StoredProcess['record']['id'],
  lease: StoredLease | undefined,
  request: BeginAttemptRequest,
  now: number,
  place?: string,
): { lease: ProcessLease; isFresh: boolean } {
  const owner = attemptOwner(request.worker, request.attempt)
  const current = lease?.holder
  if (isLive(current, now) && isSameIncarnation(current.owner, owner)) {
    return { lease: { ...current, expiresAtMs: now + request.ttlMs }, isFresh: false }
  }
  const acquired = acquire(lease, { processId, owner, ttlMs: request.ttlMs }, now)
  return { lease: place === undefined ? acquired : { ...acquired, place }, isFresh: true }
}

/** How the store keeps an attempt's lease: with whoever may be proven dead for it, and the backend's handle on it. */
export const storedLease = (
  lease: ProcessLease,
  { worker, backendToken }: BeginAttemptRequest,
  deathProof?: DeathProof,
): StoredLease => ({
  fence: lease.fencingToken,
  holder: lease,
  workerIncarnation: worker.incarnationId,
  ...(backendToken === undefined ? {} : { backendToken }),
  ...(deathProof === undefined ? {} : { deathProof }),
})

/** May this attempt's body start? Refused to a second attempt of a started owner-bound process, and to a woken zombie. */
export function decideEnterBody(
  stored: StoredProcess,
  lease: ProcessLease,
  worker: LeaseOwner,
  now: number,
): { type: 'entered'; firstStarted: FirstStarted; isFirst: boolean } | { type: 'refused' } {
  const { firstStarted, disposition } = stored.record
  const attempt = lease.owner.incarnationId
  if (firstStarted === undefined) {
    const started = { owner: worker, attempt, fence: lease.fencingToken, startedAtMs: now }
    return { type: 'entered', firstStarted: started, isFirst: true }
  }
  if (disposition === 'owner_bound' && firstStarted.attempt !== attempt) return { type: 'refused' }
  return { type: 'entered', firstStarted, isFirst: false }
}

/** How an attempt ends without an outcome. */
export type AttemptEnd = 'shutdown' | 'transient_error'

/** A cancel that came meanwhile does not wait out the back-off: it only has to be written. */
export function dueAfterAttempt(
  end: AttemptEnd,
  stored: StoredProcess,
  lease: ProcessLease,
  now: number,
): number {
  const isWanted = end === 'shutdown' || stored.record.cancelRequest !== undefined
  return isWanted ? now : DUE.afterFailure(now, failuresAtOnce(stored, lease, now))
}

/** An attempt that held its lease for so long has not failed at once: the back-off begins anew. */
const AT_ONCE_MS = 60_000

/** Failures in a row before this one, which the lease's attempt has just come to. */
export const failuresAtOnce = ({ failures }: StoredProcess, lease: ProcessLease, now: number): number =>
  now - lease.claimedAtMs < AT_ONCE_MS ? failures : 0

/**
 * The failures that delay the next attempt after a proof of death. What only has to be written is not delayed: a cancel,
 * or the end of an owner-bound process.
 */
export function failuresBeforeDeath(stored: StoredProcess, dead: ProcessLease, now: number): number {
  const { cancelRequest, disposition, firstStarted } = stored.record
  const isToSettle =
    cancelRequest !== undefined || (disposition === 'owner_bound' && firstStarted !== undefined)
  return isToSettle ? 0 : failuresAtOnce(stored, dead, now)
}

/** A lease as its holder presents it, cut down to what a completion or release needs. */
export interface LeaseCompletion {
  readonly processId: StoredProcess['record']['id']
  readonly leaseToken: LeaseToken
}
