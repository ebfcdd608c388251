import type { BeginAnswer, BeginAttemptRequest } from '../../model/attempt.ts'
import type { DeferReason, DrainReport, DrainRequest } from '../../model/drain.ts'

/** How workers are told to stop in order, and say what became of what they ran. */
export interface DrainOperations {
  /**
   * Asks the worker of this incarnation to stop. It looks several times a second. The first request stays; one that has been
   * reported on is returned with its report. Throws `worker_unknown`.
   */
  requestDrain(incarnationId: string, requestedBy: string): Promise<DrainRequest>
  drainOf(incarnationId: string): Promise<DrainRequest | undefined>
  /** Kept for a week, where somebody had asked. */
  reportDrain(incarnationId: string, report: DrainReport): Promise<void>
  /**
   * Takes the lease of a process that the worker itself had started and nobody holds, for it to be ended as
   * abandoned(owner_drain); see `decideDrain`. Only `settle` claims.
   */
  beginDrain(
    id: string,
    request: Pick<BeginAttemptRequest, 'worker' | 'attempt' | 'ttlMs'>,
  ): Promise<DrainAnswer>
}

export type DrainAnswer =
  | Extract<BeginAnswer, { readonly type: 'settle' }>
  | { readonly type: 'deferred'; readonly reason: DeferReason }
  | { readonly type: 'not_mine' }
