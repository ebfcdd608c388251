import { isLeaseholdError, LeaseholdError } from './errors.ts'
import { type Json, jsonEquals } from './json.ts'
import type { CausalRef } from './provenance.ts'
import { sessionClosed } from './session-errors.ts'
import { requireSessionScope } from './session-scope.ts'

/**
 * A session of an agent: what was said, in order, and which turn may go on saying.
 *
 *   (none) ── create ──▶ open for a turn ── leave ──▶ free ── create for another turn ──▶ open
 *                                └────────── close ───────┴──▶ closed: read and forked, and nothing new
 *
 * One turn at a time; those that were registered as turns of the session have it in the order of their registrations,
 * before any other. A turn is known by its id for ever, so that everything it does can be repeated after a crash. The one
 * that has the session when it is closed comes to its end.
 */
export interface Session {
  readonly sessionId: string
  /** Of the one who created it; stays as it was. */
  readonly policy: { readonly [field: string]: Json }
  readonly pluginOptions: { readonly [plugin: string]: Json }
  readonly causedBy?: CausalRef
  /** The turn that may append. Absent: nobody has it. */
  readonly openFor?: string
  /** Since then it takes no new turn. */
  readonly closedAtMs?: number
  /** The last entry's position; 0: none. */
  readonly lastPosition: number
  /** Counts the writes: a save is refused where another came between. */
  readonly version: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** The sessions that are a process's own, and go with it: of its code, and of its turn where the request names none. */
export const ownSessions = (processId: string) => ({
  environment: `process-env:${processId}`,
  turn: `process-session-turn:${processId}`,
})

/** A summary stands for everything before it: who only needs the active path reads from the last one on. */
export type SessionEntryKind = 'message' | 'summary'

export interface NewSessionEntry {
  readonly kind: SessionEntryKind
  /** A message as the AI SDK has it. */
  readonly message: Json
}

export interface SessionEntry extends NewSessionEntry {
  /** From 1, without gap. */
  readonly position: number
  readonly turnId: string
  readonly appendedAtMs: number
}

export interface NewSession {
  readonly sessionId: string
  readonly policy?: Session['policy']
  readonly pluginOptions?: Session['pluginOptions']
  readonly causedBy?: CausalRef
}

/** A session for a turn of it. */
export interface SessionRequest extends NewSession {
  /** The process whose turn it is. */
  readonly turnId: string
}

export type CreateSessionDecision =
  | { readonly type: 'created'; readonly session: Session }
  | { readonly type: 'reopened'; readonly session: Session }
  | { readonly type: 'existing'; readonly session: Session }

/** Who stands in the session's way, beside the one that it is open for. */
export interface SessionQueue {
  readonly now: number
  /** The turn that has the session has ended without closing it. */
  readonly isHolderOver: boolean
  /** The first waiting turn before this one that has not ended. */
  readonly ahead?: string
  /** This turn is one of those that wait. */
  readonly isWaiting: boolean
}

/** A turn that waits for its session, in its place among the others. */
export interface WaitingTurn {
  readonly position: number
  readonly turnId: string
}

/**
 * The same turn finds its session as it left it; another one has to wait until that has left it (`session_busy`), or until
 * the process whose turn it is has ended without having come to that, and until those who waited before it had theirs.
 * For no turn the session is only made, free: one that is there stays as it is.
 */
export function decideCreateSession(
  existing: Session | undefined,
  request: NewSession & Partial<SessionRequest>,
  { now, isHolderOver, ahead, isWaiting }: SessionQueue,
): CreateSessionDecision {
  requireSessionScope(request)
  if (request.turnId?.trim() === '') throw new LeaseholdError('usage', "A session's turn needs an id.")
  const { sessionId, turnId, policy = {}, pluginOptions = {}, causedBy } = request
  if (existing === undefined) {
    const session = {
      sessionId,
      policy,
      pluginOptions,
      ...(causedBy === undefined ? {} : { causedBy }),
      ...(turnId === undefined ? {} : { openFor: turnId }),
      lastPosition: 0,
      version: 1,
      createdAtMs: now,
      updatedAtMs: now,
    }
    return { type: 'created', session }
  }
  if (turnId === undefined || existing.openFor === turnId) return { type: 'existing', session: existing }
  if (existing.closedAtMs !== undefined) throw sessionClosed(sessionId)
  const openFor = existing.openFor === undefined || isHolderOver ? ahead : existing.openFor
  if (openFor === undefined)
    return { type: 'reopened', session: written({ ...existing, openFor: turnId }, now) }
  throw new LeaseholdError(
    'session_busy',
    `Session "${sessionId}" is in turn "${openFor}"; turn "${turnId}" can begin when that has closed it.`,
    { details: { sessionId, openFor, turnId, isWaiting } },
  )
}

/** The turn that this one stands behind, where that is what keeps it from its session and its turn will come. */
export const turnAhead = (error: unknown): string | undefined => {
  if (!isLeaseholdError(error, 'session_busy') || error.details.isWaiting !== true) return undefined
  return String(error.details.openFor)
}

/** What a look for a session finds. `deleted`: for good; one that never was may still come. */
export type FoundSession =
  | { readonly type: 'present'; readonly session: Session }
  | { readonly type: 'deleted' }
  | { readonly type: 'absent' }

export interface SessionAppend {
  readonly turnId: string
  /** The last position that the writer knows of: its entries come right after. */
  readonly after: number
  readonly entries: readonly NewSessionEntry[]
}

export type AppendSessionDecision =
  | { readonly type: 'append'; readonly session: Session; readonly entries: readonly SessionEntry[] }
  /** A try before this one has written them. */
  | { readonly type: 'replayed' }

/** `stored`: what stands after `append.after`, as far as there are new entries. */
export function decideAppendToSession(
  session: Session,
  append: SessionAppend,
  stored: readonly SessionEntry[],
  now: number,
): AppendSessionDecision {
  const { sessionId, openFor, lastPosition } = session
  const { turnId, after, entries } = append
  const isWritten = (entry: NewSessionEntry, index: number): boolean => {
    const there = stored[index]
    return (
      there !== undefined &&
      there.turnId === turnId &&
      there.kind === entry.kind &&
      jsonEquals(there.message, entry.message)
    )
  }
  // Also of a turn that is over: its last try may hear of the success of the one before it late.
  if (lastPosition > after && entries.every(isWritten)) return { type: 'replayed' }
  if (openFor !== turnId) {
    throw new LeaseholdError(
      'session_not_open',
      `Session "${sessionId}" is ${openFor === undefined ? 'in no turn' : `in turn "${openFor}"`}; turn "${turnId}" cannot append to it. Create it for that turn first.`,
      { details: { sessionId, turnId } },
    )
  }
  if (lastPosition !== after) {
    throw new LeaseholdError(
      'session_conflict',
      `Session "${sessionId}" ends at position ${lastPosition}, and turn "${turnId}" appends after ${after} something else than what stands there. Load it again.`,
      { details: { sessionId, turnId, lastPosition, after } },
    )
  }
  return {
    type: 'append',
    session: written({ ...session, lastPosition: after + entries.length }, now),
    entries: entries.map((entry, index) => ({
      ...entry,
      position: after + index + 1,
      turnId,
      appendedAtMs: now,
    })),
  }
}

/** Closed stays closed, since when it was first. */
export function decideCloseSession(session: Session, now: number): Session {
  return session.closedAtMs === undefined ? written({ ...session, closedAtMs: now }, now) : session
}

/** Only its own turn leaves a session; for any other there is nothing to do. */
export function decideLeaveSession(
  session: Session | undefined,
  turnId: string,
  now: number,
): Session | undefined {
  if (session?.openFor !== turnId) return undefined
  const { openFor: _, ...rest } = session
  return written(rest, now)
}

export interface ForkSessionRequest {
  /** Of the new session. */
  readonly id: string
  /** The last entry that it takes along; 0: none. Default: all there are. */
  readonly at?: number
}

/** A new session, free, that begins with what was said in another one up to an entry. */
export function decideForkSession(
  session: Session,
  { id, at = session.lastPosition }: ForkSessionRequest,
  now: number,
): Session {
  requireSessionScope({ sessionId: id })
  const { sessionId, lastPosition, policy, pluginOptions } = session
  if (!Number.isInteger(at) || at < 0 || at > lastPosition) {
    throw new LeaseholdError(
      'usage',
      `Session "${sessionId}" has entries 1 to ${lastPosition}; it cannot be forked at ${at}.`,
      { details: { sessionId, at, lastPosition } },
    )
  }
  return {
    sessionId: id,
    policy,
    pluginOptions,
    lastPosition: at,
    version: 1,
    createdAtMs: now,
    updatedAtMs: now,
  }
}

/** What becomes of input that comes while a turn of the session runs: the session's policy `whileRunning`. */
export const WHILE_RUNNING = ['queue', 'steer', 'interrupt', 'reject'] as const
export type WhileRunning = (typeof WHILE_RUNNING)[number]

/** Default: it has a turn of its own, after those before it. Throws `process_env_invalid`. */
export function whileRunningOf({ whileRunning = 'queue' }: Session['policy']): WhileRunning {
  const known = WHILE_RUNNING.find(mode => mode === whileRunning)
  if (known !== undefined) return known
  throw new LeaseholdError(
    'process_env_invalid',
    `A session's policy says in whileRunning what becomes of input that comes during a turn: ${WHILE_RUNNING.join(', ')}; found ${JSON.stringify(whileRunning)}.`,
  )
}

/** A turn that waits, with what it was registered to say. */
export interface WaitingInput {
  readonly turnId: string
  readonly input: Json
}

const written = (session: Session, now: number): Session => ({
  ...session,
  version: session.version + 1,
  updatedAtMs: now,
})
