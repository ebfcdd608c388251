import type { AttemptEnd, BeginAnswer, BeginAttemptRequest } from '../../model/attempt.ts'
import type { DeathEvidence, LeaseOwner, ProcessLease } from '../../model/lease.ts'
import type { RegistrationRequest } from '../../model/registration.ts'
import type { Situation } from '../../model/situation.ts'
import type { WaitState } from '../../model/wait.ts'
import type { RegisterOptions, StartResult } from './rows.ts'

export interface AttemptOperations {
  beginAttempt(id: string, request: BeginAttemptRequest): Promise<BeginAnswer>
  /**
   * `register`, and the first attempt of a new row begun in the same transaction: for whoever runs at once what it starts.
   * Like `beginAttempt` it does not begin what another profile or an external owner runs; such a row is due.
   */
  registerAndBegin(
    registration: RegistrationRequest,
    request: BeginAttemptRequest,
    options?: Omit<RegisterOptions, 'isDueAtOnce' | 'journal'>,
  ): Promise<StartResult>
  /** All that is known of where the process stands, in one snapshot, for `explain`. */
  situation(id: string): Promise<Situation>
  /** The last holder, for asking the operating system before `beginAttempt`: its liveness, and the names the evidence must bear. */
  lastHolder(
    id: string,
  ): Promise<{ readonly owner: LeaseOwner; readonly evidence: DeathEvidence } | undefined>
  /** Immediately before the body. `refused`: this owner-bound process was started by another attempt. */
  enterBody(lease: ProcessLease, worker: LeaseOwner): Promise<EnterAnswer>
  /** Ends the attempt to wait for something durable. `due`: a wait is satisfied already, or a cancel is recorded; nothing was written. */
  park(lease: ProcessLease, waits: readonly WaitState[]): Promise<ParkAnswer>
  /** Ends the attempt without outcome or wait. A lease that is no longer held is ignored. */
  endAttempt(lease: ProcessLease, end: AttemptEnd): Promise<EndAnswer>
}

/** `dueInMs`: how long the next attempt should be waited with. */
export type EndAnswer = { readonly type: 'ended'; readonly dueInMs: number } | { readonly type: 'not_held' }

export type EnterAnswer = { readonly type: 'entered' } | { readonly type: 'refused' }

export type ParkAnswer = { readonly type: 'parked'; readonly untilMs?: number } | { readonly type: 'due' }
