/**
 * One attempt, from the lease to its end. Whatever happens, it ends in exactly one of these, and only the first writes
 * an outcome:
 *   the code returned or threw ─▶ completeWithLease          parked ─▶ the registry released the lease in the park
 *   shut down ─▶ endAttempt, or abandoned if owner-bound     lost ─▶ nothing is written
 *   cancelled by force ─▶ completeWithLease, without the code
 *   the store failed ─▶ endAttempt if it can, and the backend tries again
 * Only a rollover does not end it: under the same lease the code begins anew, with an empty journal and its state.
 */
import type { BegunAttempt } from '../model/attempt.ts'
import { carriedState } from '../model/epoch.ts'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import { type JournalEntry, unknownEffects } from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { Outcome } from '../model/outcome.ts'
import type { StoredProcess } from '../model/process.ts'
import { withFields } from '../runtime/logger.ts'
import type { Context } from '../telemetry/spans.ts'
import type { AttemptOptions } from './attempt-options.ts'
import type { AttemptResult, RolledOver } from './attempt-result.ts'
import { AttemptScope, type AttemptStop } from './attempt-scope.ts'
import { enterBody } from './body-entry.ts'
import { type BodyResult, startBody } from './body-run.ts'
import { type Built, buildBody } from './build-body.ts'
import type { CancelWatch } from './cancel-watch.ts'
import { delay } from './delay.ts'
import type { ExecutionEnvironment } from './environment.ts'
import { ForcedCancel, outcomeOfForcedCancel } from './forced-cancel.ts'
import { JournalSession } from './journal-session.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import {
  cancelledError,
  outcomeOfBuildError,
  outcomeOfCancel,
  outcomeOfError,
  outcomeOfValue,
  storableOutcome,
} from './outcome-of.ts'
import type { WorkingSlot } from './working-slots.ts'

export class Attempt {
  readonly #environment: ExecutionEnvironment
  #process: StoredProcess
  #scope = new AttemptScope()
  readonly #keeper: LeaseKeeper
  readonly #cancelWatch: CancelWatch
  readonly #forced: ForcedCancel
  readonly #slot: WorkingSlot
  readonly #begun: BegunAttempt
  readonly #traced: Context
  #isShuttingDown = false
  #stopTimer: NodeJS.Timeout | undefined

  constructor(environment: ExecutionEnvironment, begun: BegunAttempt, options: AttemptOptions) {
    const { registry, timings } = environment
    const { process, lease } = begun
    const { id: processId, attempts: attempt } = process.record
    const logger = withFields(environment.logger, { processId, attempt })
    this.#environment = { ...environment, logger }
    this.#process = process
    this.#slot = options.slot
    this.#keeper = new LeaseKeeper(lease, options.sentAt, {
      registry,
      timings,
      logger,
      onRenewed: options.onRenewed,
      onLost: () => {
        this.#scope.stop({ type: 'lost' })
        this.#scope.abort(new LeaseholdError('process_lease_lost', 'Another attempt holds this process now.'))
      },
    })
    this.#begun = begun
    this.#cancelWatch = options.cancelWatch
    this.#traced = options.traced
    this.#forced = new ForcedCancel(environment.forceGraceMs, logger, () =>
      this.#scope.stop({ type: 'forced' }),
    )
  }

  /** Is the lease still this attempt's? Renews or re-claims it where that is in doubt, as after a pause of the machine. */
  ensureLease(): Promise<boolean> {
    return this.#keeper.ensure()
  }

  /** Looks for a cancel at once: the backend passed one on. */
  checkCancel(): void {
    this.#cancelWatch.check()
  }

  /** Asks the code to stop because the worker does; `run` then ends within the stop bound. */
  shutDown(): void {
    if (this.#isShuttingDown) return
    this.#isShuttingDown = true
    const message = 'The worker is shutting down; another one goes on with this process.'
    this.#scope.abort(new LeaseholdError('worker_shutdown', message))
    this.#stopTimer = setTimeout(() => this.#scope.stop({ type: 'shutdown' }), this.#environment.stopBoundMs)
  }

  async run(): Promise<AttemptResult> {
    try {
      this.#cancelWatch.start({
        onCancel: error => this.#scope.abort(error),
        onForce: () => this.#forced.arm(),
      })
      return await this.#run()
    } catch (error) {
      return await this.#endByStore(error)
    } finally {
      this.#scope.close()
      clearTimeout(this.#stopTimer)
      this.#cancelWatch.stop()
      this.#forced.stop()
      this.#keeper.stop()
      await this.#scope.cleanUp(this.#environment.logger)
    }
  }

  async #run(): Promise<AttemptResult> {
    const { registry, worker } = this.#environment
    let journal: readonly JournalEntry[] | undefined
    while (true) {
      let built: Built
      try {
        built = await buildBody(this.#environment, this.#process.record, this.#scope)
      } catch (error) {
        return this.#endUnbuilt(error)
      }
      journal ??= this.#begun.journal ?? (await registry.journal(this.#process.record.id))
      // An owner-bound body that was not entered may still run elsewhere; one that was may not.
      if (this.#isShuttingDown) return this.#giveBack()
      const parts = { registry, worker, keeper: this.#keeper, scope: this.#scope }
      const entry = await enterBody(this.#process.record, parts)
      if (entry.type === 'refused') return { type: 'silent' }
      if (entry.type === 'stopped') return this.#endByStop(entry.stop, Promise.resolve())
      const result = await this.#runBody(built, journal, entry.recorded)
      if (result.type !== 'rolled_over') return result
      journal = result.journal
      await this.#beginEpoch(result.process)
    }
  }

  /** A plugin hears of a cancel and of a shutdown, so what it failed of may be that. */
  async #endUnbuilt(error: unknown): Promise<AttemptResult> {
    const { cancel } = this.#cancelWatch
    if (cancel !== undefined) {
      const journal = await this.#environment.registry.journal(this.#process.record.id)
      return this.#complete(outcomeOfCancel(error, cancel, unknownEffects(journal)))
    }
    if (this.#isShuttingDown) return this.#giveBack()
    const outcome = outcomeOfBuildError(error)
    if (outcome === undefined) throw error
    return this.#complete(outcome)
  }

  /** The next epoch has a scope of its own: what the code of the one before left open is done away with. */
  async #beginEpoch(process: StoredProcess): Promise<void> {
    await this.#scope.cleanUp(this.#environment.logger)
    this.#process = process
    this.#scope = new AttemptScope()
    // It may have been seen between the epochs, where nobody was listening.
    const { cancel } = this.#cancelWatch
    if (cancel !== undefined) this.#scope.abort(cancelledError(cancel.reason))
  }

  async #runBody(
    { body, runtime }: Built,
    entries: readonly JournalEntry[],
    entered: Promise<unknown>,
  ): Promise<AttemptResult | RolledOver> {
    const journal = new JournalSession(this.#process, entries, {
      registry: this.#environment.registry,
      keeper: this.#keeper,
      scope: this.#scope,
    })
    const surrounded: typeof body = ctx => this.#forced.children.during(() => body(ctx))
    const run = startBody(surrounded, {
      environment: this.#environment,
      process: this.#process,
      scope: this.#scope,
      keeper: this.#keeper,
      slot: this.#slot,
      state: carriedState(entries)?.value,
      journal,
      runtime,
      traced: this.#traced,
      entered,
    })
    const first = await Promise.race([
      run.returned.then(async result => {
        await entered
        return { by: 'code', result } as const
      }),
      this.#scope.stopped.then(stop => ({ by: 'stop', stop }) as const),
    ])
    run.stopParking()
    return first.by === 'code'
      ? this.#endByCode(first.result, journal)
      : this.#endByStop(first.stop, run.returned)
  }

  async #endByCode(result: BodyResult, journal: JournalSession): Promise<AttemptResult | RolledOver> {
    this.#scope.close()
    if (result.type === 'rollover') return this.#rollOver(result.state, journal)
    return result.type === 'value'
      ? this.#complete(outcomeOfValue(result.value))
      : this.#endByError(result.error, journal)
  }

  async #endByError(error: unknown, journal: JournalSession): Promise<AttemptResult> {
    const cancel = this.#cancelWatch.cancel
    // Code that only stopped because the worker does has no outcome: another worker goes on with it.
    if (this.#isShuttingDown && cancel === undefined) return this.#release()
    const outcome = outcomeOfError(error, cancel, journal.unknownEffects())
    if (outcome === undefined) throw error
    this.#environment.logger.debug('process ended', { status: outcome.status })
    return this.#complete(outcome)
  }

  async #rollOver(state: Json, journal: JournalSession): Promise<AttemptResult | RolledOver> {
    const { registry } = this.#environment
    const { record, epoch } = this.#process
    const next = { epoch: epoch + 1, state }
    const answer = await this.#writeAfterCode(lease => registry.startEpoch(lease, next))
    if (answer.type === 'lost') return answer
    if (answer.type !== 'cancel_requested') return { ...answer, type: 'rolled_over' }
    // The watch may not have seen it yet.
    const error = cancelledError((await registry.get(record.id))?.cancelRequest?.reason)
    return this.#complete(outcomeOfCancel(error, { reason: error.message }, journal.unknownEffects()))
  }

  async #endByStop(stop: AttemptStop, returned: Promise<unknown>): Promise<AttemptResult> {
    switch (stop.type) {
      case 'parked':
        return stop
      case 'lost':
        // Two executions are to overlap as little as possible: the code gets its time to notice.
        await Promise.race([returned, delay(this.#environment.stopBoundMs)])
        return stop
      case 'shutdown':
        return this.#release()
      case 'forced':
        return this.#complete(await outcomeOfForcedCancel(this.#environment.registry, this.#process))
      case 'store_failed':
        return this.#endByStore(stop.error)
    }
  }

  /** Shutdown: the lease is given back so that the next worker starts at once. Nobody may run an owner-bound one again. */
  async #release(): Promise<AttemptResult> {
    const { worker } = this.#environment
    const { disposition } = this.#process.record
    if (disposition === 'owner_bound') {
      const evidence = { writer: 'owner_drain', owner: worker, epochMs: Date.now() } as const
      return this.#complete({ status: 'abandoned', evidence })
    }
    return this.#giveBack()
  }

  async #giveBack(): Promise<AttemptResult> {
    await this.#environment.registry.endAttempt(this.#keeper.lease, 'shutdown')
    return { type: 'released' }
  }

  async #endByStore(error: unknown): Promise<AttemptResult> {
    const { registry, logger } = this.#environment
    logger.warn('attempt ended by a store error; it will be repeated', { error: messageOf(error) })
    this.#scope.stop({ type: 'store_failed', error })
    this.#scope.abort(
      new LeaseholdError('registry_unavailable', 'The registry cannot be written; the attempt is repeated.'),
    )
    // Best effort: a store that fails now lets the lease lapse instead.
    const end = await registry.endAttempt(this.#keeper.lease, 'transient_error').catch(() => undefined)
    return { type: 'store_failed', error, ...(end?.type === 'ended' ? { retryInMs: end.dueInMs } : {}) }
  }

  async #complete(end: Outcome): Promise<AttemptResult> {
    const { registry } = this.#environment
    const outcome = storableOutcome(end)
    return this.#writeAfterCode(async lease => {
      await registry.completeWithLease(lease, outcome)
      return { type: 'ended', outcome } as const
    })
  }

  /** The code's own scope is closed by now; the lease still holds. */
  async #writeAfterCode<T extends { readonly type: string }>(
    write: (lease: ProcessLease) => Promise<T>,
  ): Promise<T | { readonly type: 'lost' }> {
    const scope = new AttemptScope()
    const stopped = scope.stopped.then(stop => {
      if (stop.type === 'store_failed') throw stop.error
      return { type: 'lost' } as const
    })
    return Promise.race([scope.write(this.#keeper, write), stopped])
  }
}
