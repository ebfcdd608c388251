import type { ForkRequest } from '../../model/fork.ts'
import type { RegisterResult } from './rows.ts'

export interface ForkOperations {
  /**
   * Registers a new process with the same work, and with the journal of this one up to the step: it comes to that step
   * without running what came before, and runs on from there. It is due at once. Steps that were taken over keep their
   * operation ids; those that run have new ones. Of the children, it knows those of the part that it took over.
   * `step_not_found`: no such step in the current epoch. The same fork again is the one that exists.
   */
  fork(id: string, request: ForkRequest): Promise<RegisterResult>
}
