import { LeaseholdError } from './errors.ts'
import type { ProcessId } from './ids.ts'
import type { JournalEntry, StepFailure, StepResolution } from './journal.ts'
import { type Json, jsonEquals } from './json.ts'
import { isLive, type StoredLease } from './lease.ts'

/**
 * What became of one `once` step in the world outside, as far as anybody knows:
 *
 *   running ── its attempt writes ──▶ done | not_done | unknown
 *      └── its attempt is gone ──▶ unknown ── somebody who has looked says ──▶ done | not_done
 */
export interface Effect {
  readonly epoch: number
  /** The step's address, as `steps` prints it. */
  readonly step: string
  /** The key that was handed to the destination: look there for it. */
  readonly operationId: string
  readonly state: 'done' | 'not_done' | 'unknown' | 'running'
  /** Who said what an unknown outcome came to. Of a step that was run again, the one before that. */
  readonly resolution?: StepResolution
  /** What it ended with, where it threw. */
  readonly failure?: StepFailure
  readonly startedAtMs: number
  readonly endedAtMs?: number
}

/** The ledger's line of a journaled `once` step. */
export function effectOf(entry: JournalEntry, lease: StoredLease | undefined, now: number): Effect {
  const { epoch, address, operationId, resolution, failure, startedAtMs, endedAtMs } = entry
  return {
    epoch,
    step: address,
    operationId,
    state: stateOf(entry, lease, now),
    startedAtMs,
    ...(resolution === undefined ? {} : { resolution }),
    ...(failure === undefined ? {} : { failure }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  }
}

function stateOf(entry: JournalEntry, lease: StoredLease | undefined, now: number): Effect['state'] {
  switch (entry.status) {
    case 'done':
    case 'not_done':
      return entry.status
    case 'failed':
      // What it returned could not be stored, but it did return.
      return entry.failure?.code === 'step_value_invalid' ? 'done' : 'not_done'
    case 'claimed':
      return isInHand(entry, lease, now) ? 'running' : 'unknown'
    case 'unknown':
      return entry.resolution?.answer ?? 'unknown'
  }
}

/** The attempt that claimed it holds the process: its code may be at it now. */
const isInHand = (entry: JournalEntry, lease: StoredLease | undefined, now: number): boolean =>
  isLive(lease?.holder, now) && lease.holder.owner.incarnationId === entry.attempt

/** What somebody says who has looked at the destination. */
export type StepAnswer = { readonly value: Json } | 'not_done'

export interface ResolveRequest {
  readonly processId: ProcessId
  readonly epoch: number
  readonly step: string
  readonly answer: StepAnswer
  /** Who says so. */
  readonly by: string
  /** The incarnation of the worker that claimed the step, if the operating system says that it is dead. */
  readonly deadWorker?: string
}

export type ResolveDecision =
  | { readonly type: 'resolve'; readonly entry: JournalEntry }
  /** The same answer, given before. */
  | { readonly type: 'replay'; readonly entry: JournalEntry }

/**
 * May somebody say what became of the step? Only of a `once` step whose outcome is unknown: of one that was claimed,
 * when whoever claimed it can no longer begin it. Code that was told of the unknown outcome (`isTold`) is told so again
 * at every replay; for it the answer stands in the ledger only.
 */
export function decideResolve(
  entry: JournalEntry | undefined,
  lease: StoredLease | undefined,
  request: ResolveRequest,
  now: number,
): ResolveDecision {
  const { processId, step, answer, by } = request
  if (entry?.effect !== 'once') throw noSuchStep(request)
  if (isSameAnswer(entry, answer)) return { type: 'replay', entry }
  const isUnknown = entry.status === 'claimed' || entry.status === 'unknown'
  if (!isUnknown || (entry.status === 'unknown' && entry.resolution !== undefined)) {
    throw new LeaseholdError(
      'step_resolution_conflict',
      `What became of step "${step}" of process "${processId}" is known: ${stateOf(entry, lease, now)}${saidBy(entry)}. Nothing was changed; the first answer stays.`,
      { processId, details: { step, state: stateOf(entry, lease, now) } },
    )
  }
  requireClaimerGone(entry, lease, request, now)
  const isDone = answer !== 'not_done'
  const known = isDone ? 'done' : 'not_done'
  return {
    type: 'resolve',
    entry: {
      ...entry,
      // What the code was told stays as it was told.
      status: entry.isTold ? 'unknown' : known,
      ...(isDone ? { value: answer.value } : {}),
      resolution: { kind: 'by_hand', by, answer: known, atMs: now },
      endedAtMs: now,
    },
  }
}

function isSameAnswer({ status, resolution, isTold, value }: JournalEntry, answer: StepAnswer): boolean {
  const isSettled = status === 'done' || status === 'not_done' || isTold === true
  if (!isSettled || resolution === undefined) return false
  if (answer === 'not_done') return resolution.answer === 'not_done' && status !== 'done'
  return resolution.answer === 'done' && jsonEquals(value ?? null, answer.value)
}

/** Before that, the claimer could still begin the step, and what is said of it now could be wrong in a moment. */
function requireClaimerGone(
  entry: JournalEntry,
  lease: StoredLease | undefined,
  { processId, step, deadWorker }: ResolveRequest,
  now: number,
): void {
  // The attempt itself has written that its try is over.
  if (entry.status === 'unknown') return
  const isDead =
    (deadWorker !== undefined && entry.claimedBy?.incarnationId === deadWorker) ||
    lease?.deathProof?.owner.incarnationId === entry.attempt
  if (isDead) return
  const startByMs = entry.startByMs ?? 0
  const isRunning = isInHand(entry, lease, now)
  if (!isRunning && startByMs <= now) return
  const found = isRunning
    ? 'the attempt that claimed it still holds the process'
    : `whoever claimed it may still begin it, for ${startByMs - now} ms`
  throw new LeaseholdError(
    'step_in_flight',
    `Step "${step}" of process "${processId}" is not to be resolved yet: ${found}, and it is not proven dead. Try again then, or on its own host.`,
    { processId, details: { step, ...(isRunning ? {} : { remainingMs: startByMs - now }) } },
  )
}

const noSuchStep = ({ processId, epoch, step }: ResolveRequest): LeaseholdError =>
  new LeaseholdError(
    'step_not_found',
    `Process "${processId}" has no once step "${step}" in epoch ${epoch} of its journal. Its addresses are those that "leasehold effects ${processId}" prints.`,
    { processId, details: { step, epoch } },
  )

function saidBy({ resolution }: JournalEntry): string {
  if (resolution === undefined) return ''
  return resolution.kind === 'by_hand' ? `, as ${resolution.by} has said` : ', as its own onUnknown has found'
}
