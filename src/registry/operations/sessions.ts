import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import { isTerminal } from '../../model/outcome.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import {
  type CreateSessionDecision,
  decideAppendToSession,
  decideCloseSession,
  decideCreateSession,
  deletedWhileOpen,
  type SessionAppend,
  type SessionRequest,
  unknownSession,
} from '../../model/session.ts'
import type { SessionOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'

/** A reading of a session: all in one snapshot. */
const EVERYTHING = Number.MAX_SAFE_INTEGER

export function createSessionOperations(store: ProcessStore): SessionOperations {
  return {
    createSession: request =>
      store.transaction(function* (tx) {
        const decision = yield* decideCreate(tx, request)
        if (decision.type === 'existing') return decision
        if (decision.type === 'created' && (yield* tx.insertSession(decision.session))) return decision
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

    deleteSession: sessionId =>
      store.transaction(function* (tx) {
        const session = yield* tx.loadSession(sessionId)
        if (session === undefined) return false
        const holder = session.openFor
        if (holder !== undefined && !(yield* hasEnded(tx, holder))) throw deletedWhileOpen(sessionId, holder)
        yield* tx.deleteSession(sessionId)
        return true
      }),

    closeSession: (sessionId, turnId) =>
      store.transaction(function* (tx) {
        const closed = decideCloseSession(yield* tx.loadSession(sessionId), turnId, yield* tx.now())
        if (closed !== undefined) yield* tx.saveSession(closed, closed.version - 1)
      }),
  }
}

function* decideCreate(tx: StoreTransaction, request: SessionRequest): Operation<CreateSessionDecision> {
  const existing = yield* tx.loadSession(request.sessionId)
  const isHolderOver =
    existing?.openFor !== undefined &&
    existing.openFor !== request.turnId &&
    (yield* hasEnded(tx, existing.openFor))
  return decideCreateSession(existing, request, { now: yield* tx.now(), isHolderOver })
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
