import { failuresBeforeDeath } from '../../model/attempt.ts'
import { DUE, deathBackOffMs } from '../../model/due.ts'
import type { LeaseOwner, ProcessLease } from '../../model/lease.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { DeadAttempt, WorkerOperations } from '../registry.ts'
import type { Operation, OrphanedAttempt, ProcessStore, StoreTransaction } from '../store.ts'
import { dueAt } from './due.ts'

export function createWorkerOperations(store: ProcessStore): WorkerOperations {
  return {
    announceWorker: worker =>
      store.transaction(function* (tx) {
        const now = yield* tx.now()
        yield* tx.saveWorker({ worker, startedAtMs: now, lastSeenMs: now })
      }),

    workersOn: hostId => store.read(reader => reader.listWorkers(hostId)),

    removeWorker: incarnationId => store.transaction(tx => tx.deleteWorker(incarnationId)),

    proveWorkerDead: worker =>
      store.transaction(function* (tx) {
        const orphans: OrphanedAttempt[] = []
        for (const lease of yield* tx.listLeasesOfWorker(worker.incarnationId)) {
          const orphan = yield* recordDeath(tx, lease, worker)
          if (orphan !== undefined) orphans.push(orphan)
        }
        yield* tx.deleteWorker(worker.incarnationId)
        return orphans
      }),

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

/** Clears one lease of the dead worker and keeps the proof beside the fence. */
function* recordDeath(
  tx: StoreTransaction,
  lease: ProcessLease,
  worker: LeaseOwner,
): Operation<OrphanedAttempt | undefined> {
  const process = yield* tx.loadProcess(lease.processId)
  const stored = yield* tx.loadLease(lease.processId)
  const now = yield* tx.now()
  // Between the list and its lock somebody else may have released it or taken it over.
  if (stored?.holder === undefined || stored.workerIncarnation !== worker.incarnationId) return undefined
  const { holder, ...rest } = stored
  // A proof about the attempt that started the process outlives one about whoever came to settle it.
  const deathProof = rest.deathProof ?? { owner: holder.owner, fence: holder.fencingToken, provenAtMs: now }
  yield* tx.saveLease(
    lease.processId,
    { ...rest, deathProof, workerIncarnation: worker.incarnationId },
    stored.fence,
  )
  if (process !== undefined && !isTerminal(process.record.status)) {
    // A silent or parked run is not in its activity any more: its token cannot start it, so it is due at once.
    const isTokenUseful = stored.backendToken !== undefined && !process.isRunWaiting
    const failures = failuresBeforeDeath(process, holder, now)
    const due = DUE.afterDeathProof(now, isTokenUseful, failures)
    yield* tx.saveProcess(dueAt({ ...process, failures: failures + 1 }, due), { status: 'running' })
  }
  if (stored.backendToken === undefined) return undefined
  return { processId: lease.processId, fence: stored.fence, backendToken: stored.backendToken }
}
