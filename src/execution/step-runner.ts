/**
 * One context step, from the journal's word to the journal's entry. The journal's own states stand in model/journal.ts;
 * here is how code gets from one to the next:
 *
 *   decideStep ─ value, failure ──▶ given back, nothing runs
 *             ├─ run ─────▶ repeatable: try, then write        once: claim, try, then write
 *             └─ unknown ─▶ onUnknown: fail, told to the code for good
 *                                      a function looks at the world, or 'ask' waits for somebody who has:
 *                                      done ─▶ given back      not done ─▶ run anew
 */
import { LeaseholdError } from '../model/errors.ts'
import { type JournalEntry, nameOf, startByOf } from '../model/journal.ts'
import { toJson } from '../model/json.ts'
import type { LeaseOwner } from '../model/lease.ts'
import { type RetryPolicy, StepNotDone, type StepOptions, type StepScope } from '../runtime/context.ts'
import type { Instruments } from '../telemetry/metrics.ts'
import { activeOr, type Context, failSpan, inSpan } from '../telemetry/spans.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { delay } from './delay.ts'
import type { Call, JournalSession } from './journal-session.ts'
import { describeFailure, stepFailed } from './step-failure.ts'
import { type TryResult, tryStep } from './step-try.ts'
import { stepUnknown, type UnknownSteps } from './unknown-steps.ts'

export interface StepRunnerOptions {
  readonly journal: JournalSession
  readonly scope: AttemptScope
  readonly worker: LeaseOwner
  readonly ttlMs: number
  readonly unknown: UnknownSteps
  /** What it is traced under, where the code runs under nothing else. */
  readonly traced: Context
  readonly stepSeconds: Instruments['stepSeconds']
  /** Resolves when the lease may be used; leaves the caller waiting when it is lost. */
  readonly requireLease: () => Promise<void>
}

type Run<T> = (step: StepScope) => T | Promise<T>

export class StepRunner {
  readonly #options: StepRunnerOptions

  constructor(options: StepRunnerOptions) {
    this.#options = options
  }

  async run<T>(call: Call, run: Run<T>, options: StepOptions<T>): Promise<T> {
    const { journal } = this.#options
    const decision = journal.decide(call)
    switch (decision.type) {
      case 'value':
        return decision.value as T
      case 'failure':
        throw stepFailed(call, decision.failure)
      case 'unknown':
        // Code that went on without the step's value must do so again.
        if (decision.isTold) throw stepUnknown(call, decision.entry)
        return this.#settleUnknown(call, decision.entry, run, options)
      case 'run':
        return this.#runTries(call, run, options)
    }
  }

  async #runTries<T>(call: Call, run: Run<T>, options: StepOptions<T>): Promise<T> {
    const retry = { ...DEFAULT_RETRY, ...options.retry }
    for (let tried = 1; ; tried++) {
      const result = await this.#tryOnce(call, run, options)
      if (result.type === 'value') return this.#saveValue(call, result.value)
      const { error } = result
      const { signal } = this.#options.scope
      // Stopped by a cancel or a shutdown: no word on the step itself, so the journal keeps what it has.
      if (call.effect === 'repeatable' && signal.aborted) throw error
      if (call.effect === 'once' && !isNotDone(error, options))
        return this.#saveUnknown(call, error, run, options)
      if (tried >= retry.attempts || signal.aborted || isSpent(error))
        throw await this.#saveFailure(call, error)
      await delay(Math.min(retry.maxDelayMs, retry.delayMs * 2 ** (tried - 1)), signal)
    }
  }

  async #tryOnce<T>(call: Call, run: Run<T>, options: StepOptions<T>): Promise<TryResult<T>> {
    const { scope, requireLease } = this.#options
    if (call.effect === 'once') await this.#claim(call, options.timeout)
    else await requireLease()
    const { operationId, address } = call
    const tried = () =>
      tryStep(run, { operationId, address, signal: scope.signal, timeoutMs: options.timeout })
    return this.#traced(call, tried)
  }

  #traced<T>({ address, operationId }: Call, tried: () => Promise<TryResult<T>>): Promise<TryResult<T>> {
    const { traced, stepSeconds } = this.#options
    const attributes = { 'leasehold.step': address, 'leasehold.operation.id': operationId }
    const began = performance.now()
    return inSpan('leasehold.step', { attributes, parent: activeOr(traced) }, async span => {
      const result = await tried()
      if (result.type === 'thrown') failSpan(span, result.error)
      const outcome = result.type === 'thrown' ? 'thrown' : 'done'
      // Without its key: a series for each of those would be one for each piece of work.
      stepSeconds.record((performance.now() - began) / 1_000, { step: nameOf(address), outcome })
      return result
    })
  }

  /**
   * The claim stands before the effect may begin, and names the last moment at which it may. An attempt that was frozen
   * in between finds that moment passed, though nobody superseded it: it claims again, for nothing has begun.
   */
  async #claim(call: Call, timeoutMs: number | undefined): Promise<void> {
    const { journal, worker, ttlMs, requireLease } = this.#options
    while (true) {
      await requireLease()
      const startByMs = startByOf(journal.now(), timeoutMs, ttlMs)
      await journal.save(journal.draft(call, { status: 'claimed', claimedBy: worker, startByMs }))
      await requireLease()
      if (journal.now() < startByMs) return
    }
  }

  async #saveValue<T>(call: Call, value: T): Promise<T> {
    const { journal } = this.#options
    const stored = toJson(value)
    if (!stored.ok) {
      const problem = `Step "${call.address}" returned what JSON cannot carry: ${stored.found} at ${stored.path}. Return plain JSON, so that a replay gives the same value.`
      const error = new LeaseholdError('step_value_invalid', problem, { details: { step: call.address } })
      throw await this.#saveFailure(call, error)
    }
    await journal.save(journal.draft(call, { status: 'done', value: stored.json, endedAtMs: Date.now() }))
    // What the journal holds, not what the code made: live and replayed values are the same.
    return stored.json as T
  }

  /** Journals the final failure, and returns the error that this attempt and every replay throws. */
  async #saveFailure(call: Call, error: unknown): Promise<LeaseholdError> {
    const { journal } = this.#options
    const failure = describeFailure(error)
    await journal.save(journal.draft(call, { status: 'failed', failure, endedAtMs: Date.now() }))
    return stepFailed(call, failure, error)
  }

  async #saveUnknown<T>(call: Call, error: unknown, run: Run<T>, options: StepOptions<T>): Promise<T> {
    const { journal, worker } = this.#options
    const claimed = journal.entry(call.address)
    // What was said of an earlier try says nothing of this one.
    const { resolution: _, ...entry } = journal.draft(call, {
      status: 'unknown',
      failure: describeFailure(error),
      claimedBy: worker,
      ...(claimed?.startByMs === undefined ? {} : { startByMs: claimed.startByMs }),
    })
    await journal.save(entry)
    return this.#settleUnknown(call, entry, run, options)
  }

  async #settleUnknown<T>(call: Call, entry: JournalEntry, run: Run<T>, options: StepOptions<T>): Promise<T> {
    const settled = await this.#options.unknown.settle(call, entry, options.onUnknown)
    return settled.type === 'value' ? settled.value : this.#runTries(call, run, options)
  }
}

const DEFAULT_RETRY: Required<RetryPolicy> = { attempts: 1, delayMs: 200, maxDelayMs: 10_000 }

/** A budget that has no room for one try has none for the next. */
const isSpent = (error: unknown): boolean => describeFailure(error).code === 'process_budget_exceeded'

const isNotDone = <T>(error: unknown, options: StepOptions<T>): boolean =>
  error instanceof StepNotDone || options.isNotDone?.(error) === true
