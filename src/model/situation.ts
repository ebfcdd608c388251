import type { StoredLease } from './lease.ts'
import type { StoredProcess } from './process.ts'
import type { WorkerRow } from './worker-row.ts'

/** What the registry knows of one process at one moment. */
export interface Situation {
  readonly stored: StoredProcess
  readonly lease?: StoredLease
  /** The row of the worker that runs the holder's attempt, while it is announced. */
  readonly worker?: WorkerRow
  readonly now: number
}
