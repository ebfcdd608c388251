import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord } from '../../model/process.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import {
  type CreateSessionDecision,
  decideAppendToSession,
  decideCloseSession,
  decideCreateSession,
  decideForkSession,
  decideLeaveSession,
  type FoundSession,
  type NewSession,
  type SessionAppend,
  type SessionRequest,
  type WaitingInput,
  type WaitingTurn,
} from '../../model/session.ts'
import {
  deletedWhileAwaited,
  deletedWhileOpen,
  sessionClosed,
  sessionExists,
  turnRefused,
  unknownSession,
} from '../../model/session-errors.ts'
import type { SessionOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreReader, StoreTransaction } from '../store.ts'
import { leaveNews } from './leave-news.ts'

/** A reading of a session: all in one snapshot. */
const EVERYTHING = Number.MAX_SAFE_INTEGER

export function createSessionOperations(store: ProcessStore): SessionOperations {
  return {
    createSession: request =>
      store.transaction(function* (tx) {
        const decision = yield* decideCreate(tx, request)
        if (decision.type === 'existing') return decision
        if (decision.type === 'created' && (yield* tx.insertSession(decision.session))) {
          yield* tx.deleteSessionTombstone(request.sessionId)
          return decision
        }
        // Another transaction created it since it was looked for: its row is there now, and locked by the second look.
        const current = decision.type === 'created' ? yield* decideCreate(tx, request) : decision
        if (current.type === 'reopened') yield* tx.saveSession(current.session, current.session.version - 1)
        return current
      }),

    appendToSession: async (sessionId, append) => {
      const entries = append.entries.map(entry => asJson(entry))
      requirePayloadSize(`entries for session "${sessionId}"`, entries, append.turnId)
      return store.transaction(tx => appendTo(tx, sessionId, append))
    },

    loadSession: (sessionId, { residency = 'keep_all' } = {}) =>
      store.read(function* (reader) {
        const session = yield* reader.loadSession(sessionId)
        if (session === undefined) return undefined
        const summary = residency === 'keep_all' ? undefined : yield* reader.findLastSummary(sessionId)
        const after = summary === undefined ? 0 : summary - 1
        return { session, entries: yield* reader.listSessionEntries(sessionId, after, EVERYTHING) }
      }),

    findSession: sessionId =>
      store.read(function* (reader): Operation<FoundSession> {
        const session = yield* reader.loadSession(sessionId)
        if (session !== undefined) return { type: 'present', session }
        return { type: (yield* reader.hasSessionTombstone(sessionId)) ? 'deleted' : 'absent' }
      }),

    deleteSession: sessionId =>
      store.transaction(function* (tx) {
        const session = yield* tx.loadSession(sessionId)
        if (session === undefined) return false
        const holder = session.openFor
        if (holder !== undefined && !(yield* hasEnded(tx, holder))) throw deletedWhileOpen(sessionId, holder)
        const next = yield* firstWaiting(tx, yield* tx.listWaitingTurns(sessionId))
        if (next !== undefined) throw deletedWhileAwaited(sessionId, next.turnId)
        yield* tx.deleteSession(sessionId)
        yield* tx.insertSessionTombstone(sessionId, yield* tx.now())
        return true
      }),

    forkSession: (sessionId, request) =>
      store.transaction(function* (tx) {
        const session = yield* tx.loadSession(sessionId)
        if (session === undefined) throw unknownSession(sessionId)
        const fork = decideForkSession(session, request, yield* tx.now())
        if (!(yield* tx.insertSession(fork))) throw sessionExists(fork.sessionId)
        yield* tx.deleteSessionTombstone(fork.sessionId)
        const entries = yield* tx.listSessionEntries(sessionId, 0, fork.lastPosition)
        for (const entry of entries) yield* tx.insertSessionEntry(fork.sessionId, entry)
        return fork
      }),

    waitingInputs: sessionId => store.read(reader => inputsOf(reader, sessionId)),

    closeSession: sessionId =>
      store.transaction(function* (tx) {
        const session = yield* tx.loadSession(sessionId)
        if (session === undefined) throw unknownSession(sessionId)
        const closed = decideCloseSession(session, yield* tx.now())
        if (closed !== session) yield* tx.saveSession(closed, session.version)
        return { session: closed, waiting: (yield* inputsOf(tx, sessionId)).map(({ turnId }) => turnId) }
      }),

    leaveSession: (sessionId, turnId) =>
      store.transaction(function* (tx) {
        const left = decideLeaveSession(yield* tx.loadSession(sessionId), turnId, yield* tx.now())
        if (left !== undefined) yield* tx.saveSession(left, left.version - 1)
      }),
  }
}

function* inputsOf(reader: StoreReader, sessionId: string): Operation<readonly WaitingInput[]> {
  const found: WaitingInput[] = []
  for (const { turnId } of yield* reader.listWaitingTurns(sessionId)) {
    const record = (yield* reader.loadProcess(turnId as ProcessId))?.record
    if (record?.input.type !== 'session_turn' || isTerminal(record.status)) continue
    // One that is cancelled says nothing any more.
    if (record.cancelRequest === undefined) found.push({ turnId, input: record.input.turnInput })
  }
  return found
}

function* decideCreate(
  tx: StoreTransaction,
  request: NewSession & Partial<SessionRequest>,
): Operation<CreateSessionDecision> {
  const { sessionId, turnId } = request
  const existing = yield* tx.loadSession(sessionId)
  const isHolderOver =
    existing?.openFor !== undefined && existing.openFor !== turnId && (yield* hasEnded(tx, existing.openFor))
  const waiting = existing === undefined ? [] : yield* tx.listWaitingTurns(sessionId)
  const own = waiting.findIndex(turn => turn.turnId === turnId)
  const ahead = yield* firstWaiting(tx, own < 0 ? waiting : waiting.slice(0, own))
  const decision = decideCreateSession(existing, request, {
    now: yield* tx.now(),
    isHolderOver,
    isWaiting: own >= 0,
    ...(ahead === undefined ? {} : { ahead: ahead.turnId }),
  })
  // Its turn has come, and those before it had theirs, or ended without.
  const passed = waiting.slice(0, own + 1)
  for (const { position } of passed) yield* tx.deleteWaitingTurn(sessionId, position)
  if (decision.type !== 'reopened') return decision
  const over: ProcessRecord[] = []
  for (const id of [existing?.openFor ?? [], passed.slice(0, own).map(turn => turn.turnId)].flat()) {
    const stored = yield* tx.loadProcess(id as ProcessId)
    if (stored !== undefined) over.push(stored.record)
  }
  return { ...decision, session: yield* leaveNews(tx, decision.session, over) }
}

/** The first of them that can still begin. Each was registered as it was queued: one that is not there was pruned. */
function* firstWaiting(
  tx: StoreTransaction,
  turns: readonly WaitingTurn[],
): Operation<WaitingTurn | undefined> {
  for (const turn of turns) {
    const stored = yield* tx.loadProcess(turn.turnId as ProcessId)
    if (stored !== undefined && !isTerminal(stored.record.status)) return turn
  }
  return undefined
}

/** Puts a turn behind all that wait for the session. The session's lock keeps others from the same place. */
export function* queueTurn(
  tx: StoreTransaction,
  sessionId: string,
  { turnId, whenBusy }: { readonly turnId: string; readonly whenBusy: 'wait' | 'refuse' | undefined },
): Operation<void> {
  const session = yield* tx.loadSession(sessionId)
  if (session === undefined) throw unknownSession(sessionId)
  if (session.closedAtMs !== undefined) throw sessionClosed(sessionId)
  const waiting = yield* tx.listWaitingTurns(sessionId)
  if (whenBusy === 'refuse') {
    const { openFor } = session
    const holder = openFor === undefined || (yield* hasEnded(tx, openFor)) ? undefined : openFor
    const ahead = holder ?? (yield* firstWaiting(tx, waiting))?.turnId
    if (ahead !== undefined) throw turnRefused(sessionId, ahead)
  }
  const last = waiting.at(-1)
  yield* tx.insertWaitingTurn(sessionId, { position: (last?.position ?? 0) + 1, turnId })
}

/** A turn that no process of this registry stands behind is over only when it says so itself. */
function* hasEnded(tx: StoreTransaction, turnId: string): Operation<boolean> {
  const id = turnId as ProcessId
  const stored = yield* tx.loadProcess(id)
  if (stored !== undefined) return isTerminal(stored.record.status)
  return (yield* tx.loadTombstone(id)) !== undefined
}

function* appendTo(
  tx: StoreTransaction,
  sessionId: string,
  append: SessionAppend,
): Operation<{ readonly lastPosition: number }> {
  const session = yield* tx.loadSession(sessionId)
  if (session === undefined) throw unknownSession(sessionId)
  const stored = yield* tx.listSessionEntries(sessionId, append.after, append.entries.length)
  const decision = decideAppendToSession(session, append, stored, yield* tx.now())
  if (decision.type === 'replayed') return { lastPosition: append.after + append.entries.length }
  for (const entry of decision.entries) yield* tx.insertSessionEntry(sessionId, entry)
  yield* tx.saveSession(decision.session, session.version)
  return { lastPosition: decision.session.lastPosition }
}
