import { asJson } from '../../model/json.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import {
  decideAppendToSession,
  decideCloseSession,
  decideCreateSession,
  type SessionAppend,
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
        const existing = yield* tx.loadSession(request.sessionId)
        const decision = decideCreateSession(existing, request, yield* tx.now())
        if (decision.type === 'created' && !(yield* tx.insertSession(decision.session))) {
          // Another transaction created it since it was looked for: it is there now, locked by its writer's commit.
          const other = yield* tx.loadSession(request.sessionId)
          const second = decideCreateSession(other, request, yield* tx.now())
          if (second.type === 'reopened') yield* tx.saveSession(second.session, second.session.version - 1)
          return second
        }
        if (decision.type === 'reopened')
          yield* tx.saveSession(decision.session, decision.session.version - 1)
        return decision
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

    closeSession: (sessionId, turnId) =>
      store.transaction(function* (tx) {
        const closed = decideCloseSession(yield* tx.loadSession(sessionId), turnId, yield* tx.now())
        if (closed !== undefined) yield* tx.saveSession(closed, closed.version - 1)
      }),
  }
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
