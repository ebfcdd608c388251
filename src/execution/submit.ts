import type { Flow } from '../model/flow.ts'
import type { Disposition, ProcessRecord } from '../model/process.ts'
import type { SeenProcess } from '../registry/registry.ts'

/** Hands processes to whatever drives them: Temporal (in client/), or this OS process itself (inline-run-handle.ts). */
export interface ProcessRunHandle {
  /**
   * Hands over every row that waits for somebody, each by itself, and returns without waiting for any of them to run.
   * Throws only if the rows cannot be listed. Repeating it is harmless.
   */
  claimAndRunPending(): Promise<void>
  /**
   * Starts the process in its backend, or tells the run that is there to look again. Idempotent. Throws
   * `temporal_unreachable` and the like; the row stays due, so nothing is lost.
   */
  submit(process: Submission): Promise<void>
}

/** What a submission needs to know of the row. */
export interface Submission extends SeenProcess {
  readonly id: string
  /** It was submitted before: there is a run to tell. */
  readonly isSubmitted: boolean
  readonly disposition: Disposition
  /** Whom the backend is to take first. */
  readonly flow?: Pick<Flow, 'priority' | 'fairness'>
}

export const submissionOf = (record: ProcessRecord): Submission => ({
  id: record.id,
  attempts: record.attempts,
  lastSequence: record.lastSequence,
  isSubmitted: record.externalRef !== undefined || record.attempts > 0,
  disposition: record.disposition,
  ...(record.flow === undefined ? {} : { flow: record.flow }),
})
