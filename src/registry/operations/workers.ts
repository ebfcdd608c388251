import { failuresBeforeDeath } from '../../model/attempt.ts'
import { DUE, deathBackOffMs } from '../../model/due.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { RESERVED_EVENT_TYPES, type RegistryEvent } from '../../model/event.ts'
import type { ProcessId } from '../../model/ids.ts'
import { asJson } from '../../model/json.ts'
import type { LeaseOwner, ProcessLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { DeadAttempt, WorkerOperations } from '../registry.ts'
import type { Operation, OrphanedAttempt, ProcessStore, StoreTransaction } from '../store.ts'
import { dueAt } from './due.ts'
import { freePlace } from './flow.ts'
import { freeWakesOfWorker } from './outbox.ts'
import { insertEvent } from './shared.ts'

export function createWorkerOperations(store: ProcessStore): WorkerOperations {
  return {
    announceWorker: worker =>
      store.transaction(function* (tx) {
        const now = yield* tx.now()
        yield* tx.saveWorker({ worker, startedAtMs: now, lastSeenMs: now })
      }),

    workersOn: hostId => store.read(reader => reader.listWorkers(hostId)),

    removeWorker: incarnationId => store.transaction(tx => tx.deleteWorker(incarnationId)),

    workers: () => store.read(reader => reader.listWorkers()),

    proveWorkerDead: worker =>
      store.transaction(function* (tx) {
        const cleared = yield* recordDeathOfWorker(tx, worker)
        return cleared.flatMap(({ processId, fence, backendToken }) =>
          backendToken === undefined ? [] : [{ processId, fence, backendToken }],
        )
      }),

    stateHostDead: async (hostId, statedBy) => {
      const workers = await store.read(reader => reader.listWorkers(hostId))
      if (workers.length === 0) throw hostUnknown(hostId)
      const ids: ProcessId[] = []
      for (const { worker } of workers) {
        const cleared = await store.transaction(tx => recordDeathOfWorker(tx, worker, statedBy))
        ids.push(...cleared.map(({ processId }) => processId))
      }
      return ids
    },

    orphansOn: hostId =>
      store.read(function* (reader) {
        const attempts: DeadAttempt[] = []
        for (const orphan of yield* reader.listOrphans(hostId)) {
          const stored = yield* reader.loadProcess(orphan.processId)
          // Counted when the death was recorded: the failure itself is no reason to wait, those before it are.
          attempts.push({ ...orphan, retryInMs: deathBackOffMs(Math.max(0, (stored?.failures ?? 0) - 1)) })
        }
        return attempts
      }),

    settleOrphan: ({ processId, fence }, { isGone }) =>
      store.transaction(function* (tx) {
        const stored = yield* tx.loadProcess(processId)
        const lease = yield* tx.loadLease(processId)
        // A newer attempt has replaced the token, or another worker of the host has settled it: nothing is left to do.
        if (lease?.fence !== fence || lease.deathProof === undefined || lease.holder !== undefined) return
        if (lease.backendToken === undefined) return
        const { backendToken: _, ...rest } = lease
        yield* tx.saveLease(processId, rest, fence)
        if (!isGone || stored === undefined || isTerminal(stored.record.status)) return
        const now = yield* tx.now()
        yield* tx.saveProcess(dueAt(stored, now), { status: 'running' })
      }),
  }
}

type ClearedLease = Pick<OrphanedAttempt, 'processId' | 'fence'> & { readonly backendToken?: string }

/** `statedBy`: whose word it is; absent, the operating system's. */
function* recordDeathOfWorker(
  tx: StoreTransaction,
  worker: LeaseOwner,
  statedBy?: string,
): Operation<ClearedLease[]> {
  const all: ClearedLease[] = []
  for (const lease of yield* tx.listLeasesOfWorker(worker.incarnationId)) {
    const cleared = yield* recordDeath(tx, lease, worker, statedBy)
    if (cleared !== undefined) all.push(cleared)
  }
  yield* freeWakesOfWorker(tx, worker.incarnationId)
  yield* tx.deleteWorker(worker.incarnationId)
  return all
}

/** Clears one lease of the dead worker and keeps the proof beside the fence. */
function* recordDeath(
  tx: StoreTransaction,
  lease: ProcessLease,
  worker: LeaseOwner,
  statedBy: string | undefined,
): Operation<ClearedLease | undefined> {
  const process = yield* tx.loadProcess(lease.processId)
  const stored = yield* tx.loadLease(lease.processId)
  const now = yield* tx.now()
  // Between the list and its lock somebody else may have released it or taken it over.
  if (stored?.holder === undefined || stored.workerIncarnation !== worker.incarnationId) return undefined
  const { holder, backendToken, ...rest } = stored
  const { owner, fencingToken: fence } = holder
  const stated = statedBy === undefined ? {} : { statedBy }
  // A proof about the attempt that started the process outlives one about whoever came to settle it.
  const deathProof = rest.deathProof ?? { owner, fence, provenAtMs: now, ...stated }
  // Only workers of the dead one's own host fail its tokens, and where somebody states the death there are none.
  const token = backendToken === undefined || statedBy !== undefined ? {} : { backendToken }
  const left = { ...rest, ...token, deathProof, workerIncarnation: worker.incarnationId }
  yield* tx.saveLease(lease.processId, left, stored.fence)
  if (process !== undefined && !isTerminal(process.record.status)) {
    const told =
      statedBy === undefined
        ? process
        : (yield* insertEvent(tx, process, hostDeadEvent({ by: statedBy, owner, fence }), now)).stored
    // A silent or parked run is not in its activity any more: its token cannot start it, so it is due at once.
    const isTokenUseful = 'backendToken' in token && !process.isRunWaiting
    const failures = failuresBeforeDeath(process, holder, now)
    const due = DUE.afterDeathProof(now, isTokenUseful, failures)
    yield* tx.saveProcess(dueAt({ ...told, failures: failures + 1 }, due), { status: 'running' })
  }
  yield* freePlace(tx, holder)
  return { processId: lease.processId, fence: stored.fence, ...token }
}

const hostDeadEvent = (payload: { by: string; owner: LeaseOwner; fence: number }): RegistryEvent => ({
  eventType: RESERVED_EVENT_TYPES.hostDead,
  payload: asJson(payload),
})

const hostUnknown = (hostId: string): LeaseholdError =>
  new LeaseholdError(
    'host_unknown',
    `No worker of host "${hostId}" is announced in this registry, so none of its leases is known. Name the host as "leasehold explain" prints it beside a holder.`,
    { details: { hostId } },
  )
