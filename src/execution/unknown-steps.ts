import { LeaseholdError } from '../model/errors.ts'
import { decideRunAnew, type JournalEntry } from '../model/journal.ts'
import { toJson } from '../model/json.ts'
import type { LeaseOwner } from '../model/lease.ts'
import { waitKey } from '../model/wait.ts'
import type { StepOptions, UnknownResolution } from '../runtime/context.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { delay } from './delay.ts'
import type { Call, JournalSession } from './journal-session.ts'
import { isProvablyDead } from './liveness.ts'
import type { WaitRunner } from './wait-runner.ts'

export interface UnknownStepsOptions {
  readonly journal: JournalSession
  readonly scope: AttemptScope
  readonly worker: LeaseOwner
  readonly waits: WaitRunner
}

/** What an unknown outcome came to. `run`: the step was not done, and nobody else can begin it any more. */
export type SettledStep<T> = { readonly type: 'value'; readonly value: T } | { readonly type: 'run' }

/** What becomes of `once` steps whose outcome nobody knows. */
export class UnknownSteps {
  readonly #options: UnknownStepsOptions

  constructor(options: UnknownStepsOptions) {
    this.#options = options
  }

  async settle<T>(
    call: Call,
    entry: JournalEntry,
    onUnknown: StepOptions<T>['onUnknown'] = 'fail',
  ): Promise<SettledStep<T>> {
    if (onUnknown === 'fail') throw await this.#tell(call, entry)
    if (onUnknown === 'ask') return this.#ask(call, entry)
    let found: UnknownResolution<T>
    try {
      found = await onUnknown(call.operationId)
    } catch (cause) {
      // Stopped while it looked: that is no word on the step, and the next attempt looks again.
      if (this.#options.scope.signal.aborted) throw stepUnknown(call, entry, cause)
      throw await this.#tell(call, entry, cause)
    }
    if (found !== 'not_done') return { type: 'value', value: await this.#saveDone(call, found.done) }
    await this.#awaitClaimerGone(entry)
    await this.#saveNotDone(entry)
    return { type: 'run' }
  }

  /** The error that the code goes on with, at every replay too: the journal says that it was told. */
  async #tell(call: Call, entry: JournalEntry, cause?: unknown): Promise<LeaseholdError> {
    const { resolution: _, ...unresolved } = entry
    await this.#options.journal.save({ ...unresolved, status: 'unknown', isTold: true })
    return stepUnknown(call, entry, cause)
  }

  /** Waits, here or parked, until somebody says what became of the step. */
  async #ask<T>(call: Call, { startedAtMs }: JournalEntry): Promise<SettledStep<T>> {
    const { journal, waits } = this.#options
    const { processId, epoch } = journal
    const wait = {
      key: waitKey(processId, epoch, call.address),
      sinceMs: startedAtMs,
      on: { type: 'unknown_step', step: call.address },
    } as const
    const look = () => journal.readResolved(call.address)
    const { status, value } = await waits.until(wait, { watchedId: processId, look })
    return status === 'done' ? { type: 'value', value: value as T } : { type: 'run' }
  }

  async #saveDone<T>(call: Call, value: T): Promise<T> {
    const { journal } = this.#options
    const stored = toJson(value)
    if (!stored.ok) {
      const problem = `onUnknown of step "${call.address}" answered with what JSON cannot carry: ${stored.found} at ${stored.path}.`
      throw new LeaseholdError('step_value_invalid', problem, { details: { step: call.address } })
    }
    const atMs = journal.now()
    const resolution = { kind: 'reconcile', answer: 'done', atMs } as const
    const entry = { status: 'done', value: stored.json, resolution, endedAtMs: atMs } as const
    await journal.save(journal.draft(call, entry))
    return stored.json as T
  }

  async #saveNotDone(entry: JournalEntry): Promise<void> {
    const resolution = { kind: 'reconcile', answer: 'not_done', atMs: this.#options.journal.now() } as const
    await this.#options.journal.save({ ...entry, status: 'not_done', resolution })
  }

  /** *Not done* holds only when nobody can begin it any more: a claimer that is merely frozen still could. */
  async #awaitClaimerGone(entry: JournalEntry): Promise<void> {
    const { worker, journal, scope } = this.#options
    const isOwn = entry.attempt === journal.attempt
    const isClaimerDead = isOwn || (entry.claimedBy !== undefined && isProvablyDead(entry.claimedBy, worker))
    const decision = decideRunAnew(entry, isClaimerDead, journal.now())
    if (decision.type === 'wait') await delay(decision.ms, scope.signal)
  }
}

export function stepUnknown(call: Call, entry: JournalEntry, cause?: unknown): LeaseholdError {
  const found =
    entry.failure === undefined
      ? 'it was claimed and nothing more is known'
      : `it ended with: ${entry.failure.message}`
  return new LeaseholdError(
    'step_unknown',
    `Nobody knows whether step "${call.address}" took effect: ${found}. It is not run again. Look for operation ${call.operationId} at its destination, or give the step an onUnknown function that does.`,
    { cause, details: { step: call.address, operationId: call.operationId } },
  )
}
