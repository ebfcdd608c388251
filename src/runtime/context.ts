import type { ProcessEvent } from '../model/event.ts'
import type { ProcessId } from '../model/ids.ts'
import type { StepEffect } from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Logger } from './logger.ts'
import type { Rollover } from './rollover.ts'
import type { ProcessRuntime } from './runtime.ts'
import type { AnyStart } from './start-request.ts'

/**
 * What a running process gets. Every call whose answer could differ the next time is journaled under the lease, so that
 * the next attempt, after a crash, replays to the same place. When the attempt is over every call fails with
 * `attempt_over`.
 */
export interface ProcessContext<Input = unknown> {
  readonly id: ProcessId
  readonly input: Input
  /** What the last rollover handed on; `undefined` until the first. */
  readonly state: Json | undefined
  /** From 1, counting every attempt that any worker began. */
  readonly attempt: number
  /** Fires when a cancel was requested, the lease was lost, or the worker shuts down; `signal.reason` says which. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** What was made for this attempt from the host module and the options captured at the start. */
  readonly runtime: Pick<ProcessRuntime, 'sessionId' | 'policy' | 'tools' | 'models'>

  /**
   * One journaled piece of work, addressed by `name` and `options.key`; without a key, by name and occurrence, and then
   * two of that name may not be in flight together (`step_key_required`). Returns the value as the journal holds it.
   * A final failure throws `step_failed`, and again at each replay.
   */
  step<T>(name: string, run: (step: StepScope) => T | Promise<T>, options?: StepOptions<T>): Promise<T>
  /** Waits until a time that survives crashes; a wait of more than a few seconds parks the attempt. */
  sleep(duration: number | Date, options?: { readonly key?: string }): Promise<void>
  /**
   * Waits for the lowest signal of the name that no wait has taken, whether it was sent before the wait or comes later.
   * With a timeout it may resolve to `undefined`: nothing came in time, and nothing is taken. The kind declares the
   * signal as event type `signal.<name>`, and payloads fit the schema given there.
   */
  waitForSignal(name: string, options?: WaitOptions & { readonly timeout?: never }): Promise<ReceivedSignal>
  waitForSignal(name: string, options: WaitOptions): Promise<ReceivedSignal | undefined>
  /**
   * Waits for the first event of the type with a sequence above `after`. A process that ends without it is waited for
   * all the same: race it with `outcomeOf`, or give a timeout. An id that is not registered throws `step_failed`.
   */
  waitForEvent(
    processId: string,
    eventType: string,
    options?: EventWaitOptions & { readonly timeout?: never },
  ): Promise<ProcessEvent>
  waitForEvent(
    processId: string,
    eventType: string,
    options: EventWaitOptions,
  ): Promise<ProcessEvent | undefined>
  /** Waits for the end of a process. An id that is not registered throws `step_failed`. */
  outcomeOf(processId: string, options?: WaitOptions & { readonly timeout?: never }): Promise<Outcome>
  outcomeOf(processId: string, options: WaitOptions): Promise<Outcome | undefined>
  /**
   * Starts another process, once, whatever becomes of this attempt. Its id defaults to `<this id>.<kind>.<key>`, or the
   * occurrence where no key is given; two of a kind without a key or an id may not be in flight together. It has this
   * process's originator and wake target (the session hears of both), and its environment unless `env` says otherwise.
   * It lives by itself: neither the end nor a cancel of this process touches it.
   */
  start(request: AnyStart, options?: { readonly key?: string }): Promise<StartedChild>
  /** A handle on any process of the registry. No I/O; an id that is not registered shows at its first use. */
  handle(processId: string): ContextHandle
  /**
   * A channel of this process, for what it says while it works: read by any number of others while it runs and after,
   * from any offset. What an attempt said that failed is taken back. Works inside steps as well.
   */
  stream(channel: string): StreamWriter
  /** Appends an event of a type that the kind declares. Replays return the recorded event. */
  emit(eventType: string, payload: Json): Promise<ProcessEvent>
  /**
   * `return ctx.rollover(state)` instead of an answer: the code begins anew with `ctx.state` and an empty journal, under
   * the same lease, so that a loop without end has no journal without end. Only what was `once` stays in the ledger.
   * Refused to an owner-bound process (`process_rollover_refused`): its code is never entered again.
   */
  rollover(state: Json): Rollover
  /** Disposes of the resource when the attempt ends or rolls over, however it ends. */
  use<R extends Disposable | AsyncDisposable>(resource: R): R
  /** Runs at every end of the attempt (outcome, park, lost lease, shutdown), the last registered first. */
  defer(cleanUp: () => unknown): void
  /** The time of the first attempt's call, in milliseconds since the epoch; journaled. */
  now(): Promise<number>
  /** As `Math.random`, the same at every attempt. */
  random(): number
  /** A version 4 UUID, the same at every attempt. */
  uuid(): string
}

/**
 * Takes deltas for a channel. They are stored within milliseconds, together, and before a step that said them is
 * journaled; never in a Temporal history.
 */
export interface StreamWriter {
  /** Resolves when the delta is taken; waits only where much is not stored yet. `data` is plain JSON (`usage` otherwise). */
  write(data: unknown): Promise<void>
  /** Resolves when everything that was said until now is stored. */
  flush(): Promise<void>
  /** For `pipeTo`: each chunk is a delta. */
  writable(): WritableStream<unknown>
}

/** Every answer of a wait is journaled before it is given: value, outcome, or that the time was over. */
export interface WaitOptions {
  /** Milliseconds, counted from the first attempt's call, over crashes and parks. Default: no limit. */
  readonly timeout?: number
  /** Tells waits of one name apart where call order is not stable, as in parallel code. */
  readonly key?: string
}

/** Another process, as this one sees it: what it does there is done once, and what it learns is journaled. */
export interface ContextHandle {
  readonly id: ProcessId
  /** As `ctx.outcomeOf`. */
  outcome(options?: WaitOptions & { readonly timeout?: never }): Promise<Outcome>
  outcome(options: WaitOptions): Promise<Outcome | undefined>
  /** Records a cancel; the outcome is whatever its code then does. */
  cancel(reason?: string): Promise<void>
  /** Sends a signal that its kind declares. Throws `step_failed` for an ended process, as for one that is not there. */
  signal(name: string, payload?: Json): Promise<void>
}

export interface StartedChild extends ContextHandle {
  /** False: the process existed before. */
  readonly started: boolean
}

export interface EventWaitOptions extends WaitOptions {
  /** Only events with a higher sequence. Default 0. */
  readonly after?: number
}

export interface ReceivedSignal {
  readonly payload: Json
  /** Its place in the process's log. */
  readonly sequence: number
}

export interface StepScope {
  /** Stable over attempts: hand it on as idempotency key. */
  readonly operationId: string
  /** Fires with the context's signal, and when the step's time limit is over. */
  readonly signal: AbortSignal
}

export interface StepOptions<T> {
  /** Tells steps of one name apart where call order is not stable, as in parallel code. */
  readonly key?: string
  /** What the step depends on; compared with the journal, so that a changed input is noticed (`step_diverged`). */
  readonly input?: Json
  /**
   * Default `repeatable`: may run again after a crash. `once`: claimed before it runs; a crash, throw, timeout or abort
   * that does not say *not done* is an unknown outcome, never silently repeated.
   */
  readonly effect?: StepEffect
  /** Says of an error that the effect did not happen; throwing `StepNotDone` says the same. */
  readonly isNotDone?: (error: unknown) => boolean
  /**
   * What becomes of an unknown outcome. Default `fail`: the step throws `step_unknown`, and does so at every replay,
   * whatever is found out later. A function looks at the world outside, by operation id, and says what happened there.
   * `ask`: the process waits, parked, until somebody says so (`leasehold resolve`).
   */
  readonly onUnknown?: 'fail' | 'ask' | ((operationId: string) => Promise<UnknownResolution<T>>)
  /** Default: one try. A `once` step is retried only when it was *not done*. */
  readonly retry?: RetryPolicy
  /** Milliseconds for one try. Default: no limit. */
  readonly timeout?: number
}

export type UnknownResolution<T> = { readonly done: T } | 'not_done'

export interface RetryPolicy {
  /** Tries in all. Default 1. */
  readonly attempts?: number
  /** Before the second try; doubles each time. Default 200 ms. */
  readonly delayMs?: number
  /** Default 10,000 ms. */
  readonly maxDelayMs?: number
}

/** Thrown by a `once` step's code: the effect did not happen, so the step may be tried again, or fail as usual. */
export class StepNotDone extends Error {
  override readonly name = 'StepNotDone'
}
