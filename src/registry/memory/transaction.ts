import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessId } from '../../model/ids.ts'
import { type JournalEntry, mayReplace } from '../../model/journal.ts'
import { asJson, jsonEquals } from '../../model/json.ts'
import type { StoredProcess } from '../../model/process.ts'
import { signalNameOf } from '../../model/signal.ts'
import { immediately, runSynchronously } from '../operation.ts'
import type { LeaseGuard, StoreReader, StoreTransaction } from '../store.ts'
import { deleteBlobs, keepEntry, keepOfProcess, keepOfSession, LARGE_PLACES } from './blobs.ts'
import { frozenCopy } from './frozen.ts'
import { createRetentionWriter } from './retention.ts'
import { grantKey, journalKey, type MemoryState } from './state.ts'
import { createStreamWriter } from './streams.ts'
import type { TransactionalMap } from './transactional-map.ts'
import { createTriggerWriter } from './triggers.ts'

export function createMemoryTransaction(state: MemoryState, reader: StoreReader): StoreTransaction {
  const holds = (id: ProcessId, guard: LeaseGuard): boolean => {
    const lease = state.leases.get(id)
    return (
      lease?.holder !== undefined &&
      lease.fence === guard.fence &&
      lease.holder.leaseToken === guard.token &&
      lease.holder.expiresAtMs > (guard.now ?? runSynchronously(reader.now()))
    )
  }
  const putProcess = (process: StoredProcess): void => {
    state.changeSeq += 1
    const record = { ...process.record, changeSeq: state.changeSeq }
    const kept = keepOfProcess(state, record.id, { ...process, record }, LARGE_PLACES.process)
    state.processes.set(record.id, kept)
  }

  return {
    ...reader,
    insertProcess: process =>
      immediately(() => {
        const { id } = process.record
        if (state.processes.get(id) !== undefined) throw violated(id, 'processes.id')
        putProcess(process)
      }),
    saveProcess: (process, guard) =>
      immediately(() => {
        const stored = state.processes.get(process.record.id)
        if (stored === undefined) return false
        if (guard.status === 'running' && stored.record.status !== 'running') return false
        if (guard.lease !== undefined && !holds(process.record.id, guard.lease)) return false
        putProcess(process)
        return true
      }),
    saveDue: (id, dueAtMs) =>
      immediately(() => {
        const stored = state.processes.get(id)
        if (stored === undefined) return
        const { dueAtMs: _, ...rest } = stored
        state.processes.set(id, Object.freeze(dueAtMs === undefined ? rest : { ...rest, dueAtMs }))
      }),
    insertEvent: stored =>
      immediately(() => {
        const { processId, sequence, invocation } = stored.event
        const events = state.events.get(processId) ?? []
        const key = invocation.replay?.key
        const isTaken = ({ event }: typeof stored): boolean =>
          event.sequence === sequence || (key !== undefined && event.invocation.replay?.key === key)
        if (events.some(isTaken)) throw violated(processId, 'events.sequence or events.replay_key')
        const kept = keepOfProcess(state, processId, stored, LARGE_PLACES.event)
        const all = [...events, kept].sort((left, right) => left.event.sequence - right.event.sequence)
        state.events.set(processId, all)
        if (stored.event.semantics?.wake !== undefined) add(state.unackedWakes, processId, sequence)
        if (signalNameOf(stored.event.eventType) !== undefined)
          add(state.unconsumedSignals, processId, sequence)
      }),
    ackWake: (id, sequence) => immediately(() => remove(state.unackedWakes, id, sequence)),
    consumeSignal: (id, sequence) => immediately(() => remove(state.unconsumedSignals, id, sequence)),
    saveLease: (id, lease, expectedFence) =>
      immediately(() => {
        if ((state.leases.get(id)?.fence ?? 0) !== expectedFence) return false
        state.leases.set(id, frozenCopy(lease))
        return true
      }),
    saveJournalEntry: (entry, guard) =>
      immediately(() => {
        if (!holds(entry.processId, guard)) return false
        if (state.processes.get(entry.processId)?.epoch !== entry.epoch) return false
        const key = journalKey(entry.processId, entry.epoch, entry.address)
        const stored = state.journal.get(key)
        if (stored !== undefined && !mayReplace(stored, entry)) return false
        state.journal.set(key, keepEntry(state, key, entry))
        return true
      }),
    saveResolution: entry =>
      immediately(() => {
        const key = journalKey(entry.processId, entry.epoch, entry.address)
        const stored = state.journal.get(key)
        if (stored === undefined || !isUnresolved(stored)) return false
        state.journal.set(key, keepEntry(state, key, entry))
        return true
      }),
    deleteRepeatable: (id, epoch) =>
      immediately(() => {
        for (const [key, entry] of state.journal.entries()) {
          const isOfIt = entry.processId === id && entry.epoch === epoch
          if (isOfIt && entry.effect === 'repeatable') state.journal.delete(key)
        }
      }),
    // Nobody else writes meanwhile.
    lockQueue: () => immediately(() => {}),
    saveRate: (key, nextMs) => immediately(() => state.rates.set(key, nextMs)),
    deleteRates: beforeMs =>
      immediately(() => {
        for (const [key, nextMs] of state.rates.entries()) if (nextMs < beforeMs) state.rates.delete(key)
      }),
    saveWorker: row => immediately(() => state.workers.set(row.worker.incarnationId, frozenCopy(row))),
    deleteWorker: incarnationId => immediately(() => state.workers.delete(incarnationId)),
    saveDrain: request =>
      immediately(() => state.drains.set(request.worker.incarnationId, frozenCopy(request))),
    deleteDrains: beforeMs =>
      immediately(() => {
        for (const { worker, requestedAtMs } of state.drains.values()) {
          if (requestedAtMs < beforeMs) state.drains.delete(worker.incarnationId)
        }
      }),
    insertWake: wake =>
      immediately(() => {
        const { wakeId, processId } = wake.delivery
        if (state.wakes.get(wakeId) !== undefined) return false
        state.wakes.set(wakeId, keepOfProcess(state, processId, wake, LARGE_PLACES.wake))
        return true
      }),
    saveWake: (wake, expectedVersion) =>
      immediately(() => {
        const { wakeId, processId } = wake.delivery
        if (state.wakes.get(wakeId)?.version !== expectedVersion) return false
        state.wakes.set(wakeId, keepOfProcess(state, processId, wake, LARGE_PLACES.wake))
        return true
      }),
    saveGrant: grant =>
      immediately(() => state.grants.set(grantKey(grant.scopeId, grant.processId), frozenCopy(grant))),
    deleteGrant: (scopeId, processId) => immediately(() => state.grants.delete(grantKey(scopeId, processId))),
    insertEnv: (ref, bytes) =>
      immediately(() => {
        if (state.envs.get(ref) === undefined) state.envs.set(ref, new Uint8Array(bytes))
      }),
    insertPendingCall: (call, guard) =>
      immediately(() => {
        if (!holds(call.processId, guard) || state.pendingCalls.get(call.key) !== undefined) return false
        state.pendingCalls.set(call.key, keepOfProcess(state, call.processId, call, LARGE_PLACES.pendingCall))
        return true
      }),
    saveAnswer: call =>
      immediately(() => {
        if (state.pendingCalls.get(call.key)?.answer !== undefined) return false
        state.pendingCalls.set(call.key, keepOfProcess(state, call.processId, call, LARGE_PLACES.pendingCall))
        return true
      }),
    saveBudget: (ledger, expected) =>
      immediately(() => {
        const stored = state.budgets.get(ledger.processId)
        const isExpected =
          stored === undefined || expected === undefined
            ? stored === expected
            : jsonEquals(asJson(stored), asJson(expected))
        if (isExpected) state.budgets.set(ledger.processId, frozenCopy(ledger))
        return isExpected
      }),
    saveApproval: (call, expected) =>
      immediately(() => {
        const stored = state.pendingCalls.get(call.key)?.approval
        if (stored === undefined || !jsonEquals(asJson(stored), asJson(expected))) return false
        state.pendingCalls.set(call.key, keepOfProcess(state, call.processId, call, LARGE_PLACES.pendingCall))
        return true
      }),
    insertSession: session =>
      immediately(() => {
        if (state.sessions.get(session.sessionId) !== undefined) return false
        const kept = keepOfSession(state, session.sessionId, session, LARGE_PLACES.session)
        state.sessions.set(session.sessionId, kept)
        return true
      }),
    saveSession: (session, expectedVersion) =>
      immediately(() => {
        if (state.sessions.get(session.sessionId)?.version !== expectedVersion) return false
        const kept = keepOfSession(state, session.sessionId, session, LARGE_PLACES.session)
        state.sessions.set(session.sessionId, kept)
        return true
      }),
    insertSessionEntry: (sessionId, entry) =>
      immediately(() => {
        const entries = state.sessionEntries.get(sessionId) ?? []
        if (entries.some(({ position }) => position === entry.position))
          throw violated(sessionId as ProcessId, 'session_entries.position')
        const kept = keepOfSession(state, sessionId, entry, LARGE_PLACES.sessionEntry)
        state.sessionEntries.set(sessionId, [...entries, kept])
      }),
    deleteSession: sessionId =>
      immediately(() => {
        state.sessions.delete(sessionId)
        state.sessionEntries.delete(sessionId)
        state.sessionBlobs.delete(sessionId)
        state.waitingTurns.delete(sessionId)
      }),
    insertWaitingTurn: (sessionId, turn) =>
      immediately(() => {
        const turns = state.waitingTurns.get(sessionId) ?? []
        if (turns.some(({ position }) => position === turn.position))
          throw violated(sessionId as ProcessId, 'waiting_turns.position')
        state.waitingTurns.set(sessionId, [...turns, frozenCopy(turn)])
      }),
    deleteWaitingTurn: (sessionId, position) =>
      immediately(() => {
        const turns = state.waitingTurns.get(sessionId) ?? []
        state.waitingTurns.set(
          sessionId,
          turns.filter(turn => turn.position !== position),
        )
      }),
    insertSessionTombstone: (sessionId, deletedAtMs) =>
      immediately(() => state.sessionTombstones.set(sessionId, deletedAtMs)),
    deleteSessionTombstone: sessionId => immediately(() => state.sessionTombstones.delete(sessionId)),
    deleteSessionTombstones: before =>
      immediately(() => {
        for (const [sessionId, deletedAtMs] of state.sessionTombstones.entries())
          if (deletedAtMs < before) state.sessionTombstones.delete(sessionId)
      }),
    ...createRetentionWriter(state),
    ...createTriggerWriter(state),
    ...createStreamWriter(state, holds),
    deleteBlobs: hashes => immediately(() => deleteBlobs(state, hashes)),
  }
}

const isUnresolved = ({ status, resolution }: JournalEntry): boolean =>
  status === 'claimed' || (status === 'unknown' && resolution === undefined)

type Sequences = TransactionalMap<ProcessId, readonly number[]>

const add = (sequences: Sequences, id: ProcessId, sequence: number): void =>
  sequences.set(id, [...(sequences.get(id) ?? []), sequence])

const remove = (sequences: Sequences, id: ProcessId, sequence: number): void =>
  sequences.set(
    id,
    (sequences.get(id) ?? []).filter(one => one !== sequence),
  )

const violated = (processId: ProcessId, what: string): LeaseholdError =>
  new LeaseholdError(
    'internal',
    `The store refused a second row for ${what} of process "${processId}". Its caller has to look inside the same transaction before it inserts.`,
    { processId },
  )
