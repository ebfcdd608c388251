/**
 * One attempt, from the lease to its end. Whatever happens, it ends in exactly one of these, and only the first writes
 * an outcome:
 *   the code returned or threw ─▶ completeWithLease          parked ─▶ the registry released the lease in the park
 *   shut down ─▶ endAttempt, or abandoned if owner-bound     lost ─▶ nothing is written
 *   the store failed ─▶ endAttempt if it can, and the backend tries again
 */
import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { Outcome, TerminalStatus } from '../model/outcome.ts'
import type { StoredProcess } from '../model/process.ts'
import { type Body, bodyInput, createBody } from '../runtime/body.ts'
import type { ExecutionScope } from '../runtime/execution-host.ts'
import { guardRun } from '../runtime/guard.ts'
import { withFields } from '../runtime/logger.ts'
import { buildRuntime, type ProcessRuntime } from '../runtime/runtime.ts'
import { AttemptScope, type AttemptStop } from './attempt-scope.ts'
import { CancelWatch } from './cancel-watch.ts'
import { createContext } from './context.ts'
import { delay } from './delay.ts'
import type { ExecutionEnvironment } from './environment.ts'
import { JournalSession } from './journal-session.ts'
import { type clocks, LeaseKeeper } from './lease-keeper.ts'
import { OtherProcesses } from './other-processes.ts'
import { outcomeOfBuildError, outcomeOfError, outcomeOfValue, storableOutcome } from './outcome-of.ts'
import { Parking } from './parking.ts'
import { StepRunner } from './step-runner.ts'
import { Waits } from './waits.ts'
import type { WorkingSlot } from './working-slots.ts'

export type AttemptResult =
  | { readonly type: 'ended'; readonly status: TerminalStatus }
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'silent' }
  | { readonly type: 'lost' }
  | { readonly type: 'released' }
  | { readonly type: 'store_failed'; readonly error: unknown; readonly retryInMs?: number }

export class Attempt {
  readonly #environment: ExecutionEnvironment
  readonly #process: StoredProcess
  readonly #scope = new AttemptScope()
  readonly #keeper: LeaseKeeper
  readonly #cancelWatch: CancelWatch
  readonly #slot: WorkingSlot
  #isShuttingDown = false
  #stopTimer: NodeJS.Timeout | undefined

  constructor(
    environment: ExecutionEnvironment,
    process: StoredProcess,
    lease: ProcessLease,
    options: {
      readonly sentAt: ReturnType<typeof clocks>
      readonly slot: WorkingSlot
      readonly onRenewed: () => void
    },
  ) {
    const { registry, timings } = environment
    const logger = withFields(environment.logger, {
      processId: process.record.id,
      attempt: process.record.attempts,
    })
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
    this.#cancelWatch = new CancelWatch(registry, process.record.id, logger, error =>
      this.#scope.abort(error),
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
    this.#scope.abort(
      new LeaseholdError(
        'worker_shutdown',
        'The worker is shutting down; another one goes on with this process.',
      ),
    )
    this.#stopTimer = setTimeout(() => this.#scope.stop({ type: 'shutdown' }), this.#environment.stopBoundMs)
  }

  async run(): Promise<AttemptResult> {
    try {
      return await this.#run()
    } catch (error) {
      return await this.#endByStore(error)
    } finally {
      this.#scope.close()
      clearTimeout(this.#stopTimer)
      this.#cancelWatch.stop()
      this.#keeper.stop()
      await this.#scope.cleanUp(this.#environment.logger)
    }
  }

  async #run(): Promise<AttemptResult> {
    const { registry, worker } = this.#environment
    let built: { readonly body: Body; readonly runtime: ProcessRuntime }
    try {
      built = await this.#build()
    } catch (error) {
      const outcome = outcomeOfBuildError(error)
      if (outcome === undefined) throw error
      return this.#complete(outcome)
    }
    const journal = await this.#openJournal()
    await this.#cancelWatch.start()
    // An owner-bound body that was not entered may still run elsewhere; one that was may not.
    if (this.#isShuttingDown) return this.#giveBack()
    const entering = this.#scope.write(this.#keeper, lease => registry.enterBody(lease, worker))
    const entered = await Promise.race([entering, this.#scope.stopped])
    if (entered.type === 'refused') return { type: 'silent' }
    if (entered.type !== 'entered') return this.#endByStop(entered, Promise.resolve())
    return this.#runBody(built.body, built.runtime, journal)
  }

  /** The code to run, inside the surroundings and with the runtime that were made for this attempt alone. */
  async #build() {
    const { host, executionHost, facets } = this.#environment
    const { record } = this.#process
    const { profileId } = host
    const surroundings: ExecutionScope = await guardRun(record, { executionHost, stores: facets, profileId })
    const runtime = await buildRuntime(this.#environment, record)
    this.#scope.defer(() => runtime.dispose())
    const body = createBody(host, runtime, record)
    const surrounded: Body = ctx => surroundings.run(() => body(ctx))
    return { body: surrounded, runtime }
  }

  async #runBody(body: Body, runtime: ProcessRuntime, journal: JournalSession): Promise<AttemptResult> {
    const parking = this.#createParking()
    const { registry, logger } = this.#environment
    const { record } = this.#process
    const ctx = createContext({
      process: this.#process,
      input: bodyInput(this.#process.record),
      scope: this.#scope,
      journal,
      steps: this.#createSteps(journal),
      waits: new Waits(record, { registry, journal, scope: this.#scope, parking, logger }),
      others: new OtherProcesses(record, { environment: this.#environment, journal, parking }),
      parking,
      logger: this.#environment.logger,
      runtime,
    })
    // Its errors are values: code that goes on after a stop must not become an unhandled rejection.
    const returned = runBody(body, ctx, journal)
    const first = await Promise.race([
      returned.then(result => ({ by: 'code', result }) as const),
      this.#scope.stopped.then(stop => ({ by: 'stop', stop }) as const),
    ])
    parking.stop()
    return first.by === 'code'
      ? this.#endByCode(first.result, journal)
      : this.#endByStop(first.stop, returned)
  }

  async #endByCode(result: BodyResult, journal: JournalSession): Promise<AttemptResult> {
    const { record } = this.#process
    this.#scope.close()
    if (result.type === 'value') return this.#complete(outcomeOfValue(result.value))
    const cancel = this.#cancelWatch.cancel
    // Code that only stopped because the worker does has no outcome: another worker goes on with it.
    if (this.#isShuttingDown && cancel === undefined) return this.#release()
    const outcome = outcomeOfError(result.error, cancel, journal.unknownEffects())
    if (outcome === undefined) throw result.error
    this.#environment.logger.debug('process ended', { status: outcome.status, processId: record.id })
    return this.#complete(outcome)
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
    const scope = new AttemptScope()
    const written = scope.write(this.#keeper, lease => registry.completeWithLease(lease, outcome))
    const result = await Promise.race([written, scope.stopped])
    if ('status' in result) return { type: 'ended', status: outcome.status }
    if (result.type === 'store_failed') throw result.error
    return { type: 'lost' }
  }

  async #openJournal(): Promise<JournalSession> {
    const { registry } = this.#environment
    const entries = await registry.journal(this.#process.record.id)
    return new JournalSession(this.#process, entries, { registry, keeper: this.#keeper, scope: this.#scope })
  }

  #createSteps(journal: JournalSession): StepRunner {
    const { worker, timings } = this.#environment
    const requireLease = () => this.#scope.write(this.#keeper, async () => {})
    return new StepRunner({ journal, scope: this.#scope, worker, ttlMs: timings.ttlMs, requireLease })
  }

  #createParking(): Parking {
    const { registry, parkGraceMs } = this.#environment
    // An owner-bound body may never be entered again, so it cannot leave either.
    if (this.#process.record.disposition === 'owner_bound') return new Parking(this.#slot, undefined)
    return new Parking(this.#slot, {
      graceMs: parkGraceMs,
      park: async waits => {
        const answer = await this.#scope.write(this.#keeper, lease => registry.park(lease, waits))
        if (answer.type === 'parked') this.#scope.stop(answer)
        return answer.type === 'parked'
      },
    })
  }
}

type BodyResult =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'error'; readonly error: unknown }

async function runBody(body: Body, ctx: Parameters<Body>[0], journal: JournalSession): Promise<BodyResult> {
  try {
    const value = await body(ctx)
    journal.requireAllVisited()
    return { type: 'value', value }
  } catch (error) {
    return { type: 'error', error }
  }
}
