import type { ProcessId } from '../../model/ids.ts'
import type { LeaseOwner } from '../../model/lease.ts'
import type { WorkerRow } from '../../model/worker-row.ts'
import type { OrphanedAttempt } from '../store.ts'

export interface WorkerOperations {
  announceWorker(worker: LeaseOwner): Promise<void>
  /** Workers announced on one host, by `Liveness.hostId`. */
  workersOn(hostId: string): Promise<WorkerRow[]>
  /** All that are announced, in byte order of their incarnations. */
  workers(): Promise<WorkerRow[]>
  removeWorker(incarnationId: string): Promise<void>
  /**
   * Records that the worker is proven dead: all its leases are cleared, their processes made due, its claims on wakes
   * freed, its row removed.
   * Returns the attempts whose backend token is still to be failed. Repeating it changes nothing.
   */
  proveWorkerDead(worker: LeaseOwner): Promise<readonly OrphanedAttempt[]>
  /**
   * Somebody says that this host is gone with all its workers: the same, for each of them, with their word in each
   * process's log and in the evidence of what ends by it. Returns the processes. Throws `host_unknown`.
   */
  stateHostDead(hostId: string, statedBy: string): Promise<readonly ProcessId[]>
  /** Attempts proven dead on this host whose backend token has not been failed yet. */
  orphansOn(hostId: string): Promise<DeadAttempt[]>
  /** The token was failed; `isGone`: the backend does not know it any more, so the sweep must submit. */
  settleOrphan(orphan: OrphanedAttempt, options: { readonly isGone: boolean }): Promise<void>
}

/** `retryInMs`: how long the backend should wait with the next attempt; 0 but for a process that fails again and again. */
export interface DeadAttempt extends OrphanedAttempt {
  readonly retryInMs: number
}
