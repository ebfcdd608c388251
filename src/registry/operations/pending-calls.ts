import { asJson } from '../../model/json.ts'
import { leaseLost } from '../../model/lease.ts'
import {
  decideAnswer,
  decideOpenCall,
  requireCallKey,
  type ToolCallAnswer,
  unknownCall,
} from '../../model/pending-call.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import type { CallAnswerResult, PendingCallOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { createApprovalOperations } from './approvals.ts'
import { leaseGuard, requireProcess } from './shared.ts'
import { tellCallWaiters, withCallAnswered } from './waiters.ts'

export function createPendingCallOperations(store: ProcessStore): PendingCallOperations {
  return {
    ...createApprovalOperations(store),

    openCall: async (lease, { key, untilMs }) => {
      requireCallKey(key, lease.processId)
      return store.transaction(function* (tx) {
        const now = yield* tx.now()
        const asked = { key, processId: lease.processId, ...(untilMs === undefined ? {} : { untilMs }) }
        const decision = decideOpenCall(yield* tx.loadPendingCall(key), asked, now)
        if (decision.type === 'existing') return decision.call
        const isSaved = yield* tx.insertPendingCall(decision.call, leaseGuard(lease, now))
        if (isSaved) return decision.call
        // Somebody else took the key since it was looked for, or the lease is gone.
        const other = yield* tx.loadPendingCall(key)
        if (other !== undefined) return decideOpenCall(other, asked, now).call
        throw leaseLost(lease, yield* tx.loadLease(lease.processId), now)
      })
    },

    pendingCall: key => store.read(reader => reader.loadPendingCall(key)),

    completeToolCall: async (key, answer) => {
      requireCallKey(key)
      requirePayloadSize(`answer to tool call "${key}"`, asJson(answer), key)
      return store.transaction(tx => complete(tx, key, answer))
    },
  }
}

function* complete(tx: StoreTransaction, key: string, answer: ToolCallAnswer): Operation<CallAnswerResult> {
  const found = yield* tx.loadPendingCall(key)
  if (found === undefined) throw unknownCall(key)
  // The process's row first, as in a park: either that comes before, and the wait is found here, or it finds the answer.
  const stored = yield* requireProcess(tx, found.processId)
  const call = (yield* tx.loadPendingCall(key)) ?? found
  const now = yield* tx.now()
  const decision = decideAnswer(call, answer, stored.record.status, now)
  if (decision.type === 'replayed') return { type: 'replayed', record: stored.record, isDue: false }
  yield* tx.saveAnswer(decision.call)
  const { stored: next, isDue } = yield* withCallAnswered(tx, stored, key, now)
  yield* tx.saveProcess(next, { status: 'running' })
  yield* tellCallWaiters(tx, call, now)
  return { type: 'answered', record: next.record, isDue }
}
