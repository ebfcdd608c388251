import {
  alreadyTerminal,
  type CompletionAuthority,
  requireAuthority,
  terminalPayload,
} from '../../model/completion.ts'
import { type AppendRequest, replayKeys, terminalEventType } from '../../model/event.ts'
import { asJson, hashJson } from '../../model/json.ts'
import { freed, isCurrentLease, leaseLost } from '../../model/lease.ts'
import { isTerminal, type Outcome } from '../../model/outcome.ts'
import type { StoredProcess } from '../../model/process.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import type { CompletionOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreReader, StoreTransaction } from '../store.ts'
import { changed, dueAt, insertEvent, requireProcess, saveUnderLease } from './shared.ts'

export function createCompletionOperations(store: ProcessStore): CompletionOperations {
  return {
    completeWithLease: async (lease, outcome) => {
      requirePayloadSize('outcome', asJson(outcome), lease.processId)
      return store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, lease.processId)
        const request = terminalAppend(stored, outcome)
        if (yield* isReplay(tx, stored, request)) return stored.record
        const current = yield* tx.loadLease(lease.processId)
        const now = yield* tx.now()
        if (current === undefined || !isCurrentLease(current, lease, now))
          throw leaseLost(lease, current, now)
        // The contract's claim may lease an ended row.
        if (isTerminal(stored.record.status)) throw alreadyTerminal(stored.record)
        const ended = yield* end(tx, stored, outcome, request, now)
        yield* saveUnderLease(tx, ended, lease, now)
        yield* tx.saveLease(lease.processId, freed(current), current.fence)
        return ended.record
      })
    },

    complete: async (id, outcome, authority) => {
      requirePayloadSize('outcome', asJson(outcome), id)
      return store.transaction(function* (tx) {
        const stored = yield* requireProcess(tx, id)
        const request = terminalAppend(stored, outcome, authority)
        if (yield* isReplay(tx, stored, request)) return stored.record
        const current = yield* tx.loadLease(stored.record.id)
        const now = yield* tx.now()
        requireAuthority(stored.record, current, outcome, authority, now)
        const ended = yield* end(tx, stored, outcome, request, now)
        yield* tx.saveProcess(ended, { status: 'running' })
        return ended.record
      })
    },
  }
}

function terminalAppend(
  stored: StoredProcess,
  outcome: Outcome,
  authority?: CompletionAuthority,
): AppendRequest {
  const eventType = terminalEventType(outcome.status)
  const replayKey = replayKeys.terminal(stored.record.id, eventType)
  return { eventType, payload: terminalPayload(outcome, authority), replayKey }
}

/** The very same terminal write, made before: its writer lost the answer and asks again. */
function* isReplay(reader: StoreReader, stored: StoredProcess, request: AppendRequest): Operation<boolean> {
  const known = yield* reader.findEvent(stored.record.id, request.replayKey ?? '')
  return known !== undefined && known.payloadHash === hashJson([request.eventType, request.payload])
}

/** Event, outcome and status together; waits end with the process. Still to be saved. */
function* end(
  tx: StoreTransaction,
  stored: StoredProcess,
  outcome: Outcome,
  request: AppendRequest,
  now: number,
): Operation<StoredProcess> {
  const { silentSinceMs: _, ...record } = stored.record
  const terminal = changed({ ...stored, record }, { status: outcome.status, outcome, waits: [] }, now)
  const { stored: next } = yield* insertEvent(tx, terminal, request, now)
  // A run of the backend that was told to wait would wait for ever: the sweep tells it.
  return dueAt({ ...next, isAttemptOpen: false }, stored.isRunWaiting ? now : undefined)
}
