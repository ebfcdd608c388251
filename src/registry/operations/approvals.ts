import {
  type ApprovalCall,
  type ApprovalRequest,
  decideUse,
  decideVote,
  isApproval,
  MAX_APPROVERS,
  requireVote,
  type UseRequest,
  type VoteRequest,
} from '../../model/approval.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { RESERVED_EVENT_TYPES } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import { leaseLost, type ProcessLease } from '../../model/lease.ts'
import { decideOpenCall, requireCallKey, unknownCall } from '../../model/pending-call.ts'
import { requirePayloadSize } from '../../model/registration.ts'
import type { ApprovalUse, CallAnswerResult, PendingCallOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'
import { insertEvent, leaseGuard, requireHeld, requireProcess, saveUnderLease } from './shared.ts'
import { tellCallWaiters, withCallAnswered } from './waiters.ts'

type ApprovalOperations = Pick<
  PendingCallOperations,
  'requestApproval' | 'openApprovals' | 'vote' | 'useApproval'
>

const DEFAULT_PAGE = 100

export function createApprovalOperations(store: ProcessStore): ApprovalOperations {
  return {
    requestApproval: async (lease, call) => {
      requireCallKey(call.key, lease.processId)
      requireApprovers(call.approval, lease.processId)
      requirePayloadSize(`approval of call "${call.approval.callId}"`, asJson(call.approval), lease.processId)
      return store.transaction(tx => requestApproval(tx, lease, call))
    },

    openApprovals: ({ processId, limit = DEFAULT_PAGE } = {}) =>
      store.read(function* (reader) {
        if (processId === undefined) return yield* reader.listOpenApprovals({ limit })
        const { record } = yield* requireProcess(reader, processId)
        return yield* reader.listOpenApprovals({ processId: record.id, limit })
      }),

    vote: async (key, vote) => {
      requireCallKey(key)
      requireVote(vote, key)
      return store.transaction(tx => castVote(tx, key, vote))
    },

    useApproval: (lease, key, use) => store.transaction(tx => useApproval(tx, lease, key, use)),
  }
}

function requireApprovers({ approvers, callId }: ApprovalRequest, processId: ProcessId): void {
  if (Number.isInteger(approvers) && approvers >= 1 && approvers <= MAX_APPROVERS) return
  throw new LeaseholdError(
    'usage',
    `The approval of call "${callId}" needs 1 to ${MAX_APPROVERS} people; found ${approvers}.`,
    { processId },
  )
}

function* requestApproval(
  tx: StoreTransaction,
  lease: ProcessLease,
  call: Parameters<ApprovalOperations['requestApproval']>[1],
): Operation<ApprovalCall> {
  const { stored, now } = yield* requireHeld(tx, lease)
  const { id } = stored.record
  const approval = { ...call.approval, votes: [] }
  const decision = decideOpenCall(
    yield* tx.loadPendingCall(call.key),
    { ...call, processId: id, approval },
    now,
  )
  if (decision.type === 'existing') return requireApproval(decision.call.key, decision.call)
  if (!(yield* tx.insertPendingCall(decision.call, leaseGuard(lease, now))))
    throw leaseLost(lease, yield* tx.loadLease(id), now)
  const { args: _, ...about } = call.approval
  const told = {
    eventType: RESERVED_EVENT_TYPES.approvalRequested,
    payload: asJson({
      key: call.key,
      ...about,
      ...(call.untilMs === undefined ? {} : { untilMs: call.untilMs }),
    }),
  }
  const { stored: next } = yield* insertEvent(tx, stored, told, now)
  yield* saveUnderLease(tx, next, lease, now)
  return requireApproval(call.key, decision.call)
}

function* castVote(tx: StoreTransaction, key: string, vote: VoteRequest): Operation<CallAnswerResult> {
  const found = requireApproval(key, yield* tx.loadPendingCall(key))
  // The process's row first, as in a park: either that comes before, and the wait is found here, or it finds the answer.
  const stored = yield* requireProcess(tx, found.processId)
  const call = requireApproval(key, yield* tx.loadPendingCall(key))
  const now = yield* tx.now()
  const decision = decideVote(call, vote, stored.record.status, now)
  if (decision.type === 'replayed') return { type: 'replayed', record: stored.record, isDue: false }
  if (!(yield* tx.saveApproval(decision.call, call.approval))) throw changedMeanwhile(call)
  const { by, verdict, reason } = vote
  const { callId, tool } = call.approval
  const told = {
    eventType: RESERVED_EVENT_TYPES.approvalAnswered,
    payload: asJson({ key, callId, tool, verdict, by, ...(reason === undefined ? {} : { reason }) }),
  }
  const { stored: noted } = yield* insertEvent(tx, stored, told, now)
  const next = decision.isSettled
    ? yield* withCallAnswered(tx, noted, key, now)
    : { stored: noted, isDue: false }
  yield* tx.saveProcess(next.stored, { status: 'running' })
  if (decision.isSettled) yield* tellCallWaiters(tx, call, now)
  return { type: 'answered', record: next.stored.record, isDue: next.isDue }
}

function* useApproval(
  tx: StoreTransaction,
  lease: ProcessLease,
  key: string,
  use: UseRequest,
): Operation<ApprovalUse> {
  const { stored, now } = yield* requireHeld(tx, lease)
  const call = requireApproval(key, yield* tx.loadPendingCall(key))
  if (call.processId !== stored.record.id) throw unknownCall(key)
  const decision = decideUse(call, use, now)
  if (decision.type === 'refused') return decision
  if (decision.type === 'use' && !(yield* tx.saveApproval(decision.call, call.approval)))
    throw changedMeanwhile(call)
  return { type: 'granted' }
}

function requireApproval(key: string, call: Parameters<typeof isApproval>[0]): ApprovalCall {
  if (isApproval(call)) return call
  throw unknownCall(key)
}

/** Every write of an approval holds its process's row: this is a store that does not keep its locks. */
const changedMeanwhile = ({ key, processId }: ApprovalCall): LeaseholdError =>
  new LeaseholdError('internal', `The approval "${key}" of process "${processId}" was changed meanwhile.`, {
    processId,
  })
