import type { LeaseOwner } from './lease.ts'

/** One life of a worker process, announced so that others on its host can prove it dead. */
export interface WorkerRow {
  readonly worker: LeaseOwner
  readonly startedAtMs: number
  readonly lastSeenMs: number
}
