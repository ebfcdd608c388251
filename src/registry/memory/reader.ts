import { isApproval } from '../../model/approval.ts'
import { canonicalJson } from '../../model/json.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import { fitsFilter } from '../../model/list.ts'
import type { LiveReferences } from '../../model/live-references.ts'
import { compareBytes } from '../../model/order.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord, StoredProcess } from '../../model/process.ts'
import type { Tombstone } from '../../model/retention.ts'
import { awaitedKey } from '../../model/wait.ts'
import { formatCursor, parseCursor } from '../change-cursor.ts'
import { immediately } from '../operation.ts'
import type { ProcessChange, StoreReader } from '../store.ts'
import { listBlobs } from './blobs.ts'
import { createFlowReader } from './flow.ts'
import { createRetentionReader } from './retention.ts'
import { grantKey, journalKey, type MemoryState } from './state.ts'
import { createStreamReader } from './streams.ts'
import { createTriggerReader } from './triggers.ts'
import { createWakeReader } from './wakes.ts'

export interface MemoryReaderOptions {
  readonly registryId: string
  readonly clock: () => number
}

export function createMemoryReader(state: MemoryState, options: MemoryReaderOptions): StoreReader {
  const { registryId, clock } = options
  const eventsOf = (id: StoredProcess['record']['id']) =>
    (state.events.get(id) ?? []).map(({ event }) => event)

  return {
    now: () => immediately(() => Math.floor(clock())),
    loadProcess: id => immediately(() => state.processes.get(id)),
    listProcesses: (filter, { after, through, limit }) =>
      immediately(() =>
        state.processes
          .values()
          .map(({ record }) => record)
          .filter(
            ({ id }) =>
              compareBytes(id, after) > 0 && (through === undefined || compareBytes(id, through) <= 0),
          )
          .filter(record => fitsFilter(record, filter))
          .sort((left, right) => compareBytes(left.id, right.id))
          .slice(0, limit),
      ),
    greatestId: () =>
      immediately(() =>
        state.processes
          .values()
          .map(({ record }) => record.id)
          .sort(compareBytes)
          .at(-1),
      ),
    listRegistered: ids =>
      immediately(() =>
        ids.filter(id => state.processes.get(id) !== undefined || state.tombstones.get(id) !== undefined),
      ),
    countLiveReferences: () =>
      immediately(() => {
        const live = state.processes.values().filter(({ record }) => !isTerminal(record.status))
        const groups = Map.groupBy(live, ({ record: { identity, envRef = null } }) =>
          canonicalJson([identity.definition === undefined ? [] : [identity.definition], envRef]),
        )
        return [...groups.values()].map(rows => referencesOf(rows))
      }),
    loadLease: id => immediately(() => state.leases.get(id)),
    findEvent: (id, replayKey) =>
      immediately(() =>
        state.events.get(id)?.find(({ event }) => event.invocation.replay?.key === replayKey),
      ),
    listEvents: (id, after, limit) =>
      immediately(() =>
        eventsOf(id)
          .filter(event => event.sequence > after)
          .slice(0, limit),
      ),
    listRecentEvents: (id, limit) => immediately(() => (limit === 0 ? [] : eventsOf(id).slice(-limit))),
    countEvents: (id, eventType, through) =>
      immediately(
        () => eventsOf(id).filter(event => event.eventType === eventType && event.sequence <= through).length,
      ),
    findEventOfType: (id, eventType, after) =>
      immediately(() => eventsOf(id).find(event => event.eventType === eventType && event.sequence > after)),
    findSignal: (id, eventType) =>
      immediately(() => {
        const unconsumed = new Set(state.unconsumedSignals.get(id))
        return eventsOf(id).find(event => event.eventType === eventType && unconsumed.has(event.sequence))
      }),
    countLive: () =>
      immediately(() => {
        const counts = { active: 0, waiting: 0, queued: 0, silent: 0 }
        for (const { record } of state.processes.values())
          if (!isTerminal(record.status)) counts[standing(record)]++
        return counts
      }),
    listWaiters: keys =>
      immediately(() =>
        state.processes
          .values()
          .flatMap(({ record }) => record.waits.map(wait => ({ id: record.id, key: awaitedKey(wait) ?? '' })))
          .filter(({ key }) => keys.includes(key)),
      ),
    listWakeEvents: (id, after, limit) =>
      immediately(() => {
        const unacked = new Set(state.unackedWakes.get(id))
        return eventsOf(id)
          .filter(({ sequence }) => sequence > after && unacked.has(sequence))
          .slice(0, limit)
      }),
    listJournal: (id, epoch) =>
      immediately(() =>
        state.journal
          .values()
          .filter(entry => entry.processId === id && entry.epoch === epoch)
          .sort((left, right) => left.position - right.position),
      ),
    listOnceSteps: id =>
      immediately(() =>
        state.journal
          .values()
          .filter(entry => entry.processId === id && entry.effect === 'once')
          .sort((left, right) => left.epoch - right.epoch || left.position - right.position),
      ),
    loadJournalEntry: (id, epoch, address) =>
      immediately(() => state.journal.get(journalKey(id, epoch, address))),
    listDue: (now = Math.floor(clock()), limit) =>
      immediately(() =>
        dueRows(state)
          .filter(({ dueAtMs }) => dueAtMs <= now)
          .slice(0, limit)
          .map(({ stored }) => stored),
      ),
    listSubmitted: limit =>
      immediately(() =>
        dueRows(state)
          .filter(({ stored }) => stored.submissions > 0)
          .slice(0, limit)
          .map(({ stored }) => stored),
      ),
    nextDue: () => immediately(() => dueRows(state)[0]?.dueAtMs),
    listChanges: (cursor, limit) =>
      immediately(() => {
        const position = parseCursor(registryId, cursor)
        const changed = [
          ...state.processes.values().map(({ record }) => record),
          ...state.tombstones.values(),
        ]
          .filter(({ changeSeq }) => changeSeq > position)
          .sort((left, right) => left.changeSeq - right.changeSeq)
          .slice(0, limit)
        const last = changed.at(-1)
        const next = last === undefined ? cursor : formatCursor(registryId, last.changeSeq)
        return { changes: changed.map(row => toChange(state, row)), next }
      }),
    latestChange: () => immediately(() => formatCursor(registryId, state.changeSeq)),
    listWorkers: hostId =>
      immediately(() =>
        state.workers
          .values()
          .filter(({ worker }) => hostId === undefined || hostOf(worker) === hostId)
          .sort((left, right) => compareBytes(left.worker.incarnationId, right.worker.incarnationId)),
      ),
    loadDrain: workerIncarnation => immediately(() => state.drains.get(workerIncarnation)),
    listLeasesOfWorker: workerIncarnation =>
      immediately(() =>
        state.leases
          .values()
          .flatMap(lease =>
            lease.workerIncarnation === workerIncarnation && lease.holder ? [lease.holder] : [],
          ),
      ),
    listOrphans: hostId =>
      immediately(() =>
        state.leases.entries().flatMap(([processId, { fence, holder, backendToken, deathProof }]) => {
          const isOrphan =
            holder === undefined &&
            backendToken !== undefined &&
            deathProof !== undefined &&
            hostOf(deathProof.owner) === hostId
          return isOrphan ? [{ processId, fence, backendToken }] : []
        }),
      ),
    loadGrant: (scopeId, processId) => immediately(() => state.grants.get(grantKey(scopeId, processId))),
    listGrants: (scopeId, { isLive }) =>
      immediately(() =>
        state.grants
          .values()
          .filter(grant => grant.scopeId === scopeId)
          .sort((left, right) => compareBytes(left.processId, right.processId))
          .flatMap(grant => {
            const record = state.processes.get(grant.processId)?.record
            const isListed = record !== undefined && !(isLive && isTerminal(record.status))
            return isListed ? [{ grant, record }] : []
          }),
      ),
    listGrantsOfProcess: id =>
      immediately(() =>
        state.grants
          .values()
          .filter(({ processId }) => processId === id)
          .sort(
            (left, right) =>
              compareBytes(left.sessionId, right.sessionId) || compareBytes(left.scopeId, right.scopeId),
          ),
      ),
    listGrantedIds: sessionId =>
      immediately(() =>
        state.grants
          .values()
          .filter(grant => grant.sessionId === sessionId)
          .map(({ processId }) => processId),
      ),
    listWakingIds: sessionId =>
      immediately(() =>
        state.processes
          .values()
          .filter(({ record }) => record.wakeTarget?.sessionId === sessionId)
          .map(({ record }) => record.id),
      ),
    ...createRetentionReader(state, registryId),
    ...createStreamReader(state),
    ...createFlowReader(state),
    ...createWakeReader(state),
    loadEnv: ref => immediately(() => state.envs.get(ref)?.slice()),
    loadBudget: id => immediately(() => state.budgets.get(id)),
    loadPendingCall: key => immediately(() => state.pendingCalls.get(key)),
    listOpenApprovals: ({ processId, limit }) =>
      immediately(() =>
        state.pendingCalls
          .values()
          .filter(isApproval)
          .filter(
            call =>
              call.answer === undefined &&
              (processId === undefined || call.processId === processId) &&
              state.processes.get(call.processId)?.record.status === 'running',
          )
          .sort((left, right) => left.openedAtMs - right.openedAtMs || compareBytes(left.key, right.key))
          .slice(0, limit),
      ),
    loadSession: id => immediately(() => state.sessions.get(id)),
    listSessionEntries: (id, after, limit) =>
      immediately(() =>
        (state.sessionEntries.get(id) ?? []).filter(({ position }) => position > after).slice(0, limit),
      ),
    ...createTriggerReader(state),
    listWaitingTurns: id => immediately(() => [...(state.waitingTurns.get(id) ?? [])]),
    hasSessionTombstone: id => immediately(() => state.sessionTombstones.get(id) !== undefined),
    findLastSummary: id =>
      immediately(() => state.sessionEntries.get(id)?.findLast(({ kind }) => kind === 'summary')?.position),
    listBlobs: (after, limit) => immediately(() => listBlobs(state, after, limit)),
  }
}

function referencesOf(rows: readonly StoredProcess[]): LiveReferences {
  const { identity: { definition } = {}, envRef } = rows[0]?.record ?? {}
  return {
    ...(definition === undefined ? {} : { definition }),
    ...(envRef === undefined ? {} : { envRef }),
    processCount: rows.length,
  }
}

function dueRows(state: MemoryState) {
  return state.processes
    .values()
    .flatMap(stored => (stored.dueAtMs === undefined ? [] : [{ stored, dueAtMs: stored.dueAtMs }]))
    .sort(
      (left, right) =>
        left.dueAtMs - right.dueAtMs || compareBytes(left.stored.record.id, right.stored.record.id),
    )
}

/** A process has more than its tombstone has. */
function toChange(state: MemoryState, row: ProcessRecord | Tombstone): ProcessChange {
  const { id, status } = row
  const stored = state.processes.get(id)
  const isPruned = stored === undefined
  return { id, status, isCancelRequested: 'cancelRequest' in row, isPruned, dueAtMs: stored?.dueAtMs ?? null }
}

const hostOf = ({ liveness }: LeaseOwner): string | undefined =>
  liveness.kind === 'local_process' ? liveness.hostId : undefined

const standing = ({ silentSinceMs, turn, waits }: ProcessRecord) => {
  if (silentSinceMs !== undefined) return 'silent'
  if (turn !== undefined) return 'queued'
  return waits.length > 0 ? 'waiting' : 'active'
}
