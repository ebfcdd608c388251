import { isLeaseholdError, LeaseholdError, messageOf } from '../model/errors.ts'
import type { ProcessLease } from '../model/lease.ts'
import type { Logger } from '../runtime/logger.ts'
import type { LeaseKeeper } from './lease-keeper.ts'

/** Why an attempt ended before its code returned. */
export type AttemptStop =
  | { readonly type: 'parked'; readonly untilMs?: number }
  | { readonly type: 'lost' }
  | { readonly type: 'shutdown' }
  | { readonly type: 'forced' }
  | { readonly type: 'store_failed'; readonly error: unknown }

/** One for all: an error made for each attempt, with its stack, would be most of what ending one costs. */
const OVER = new Error('this attempt is over')

/**
 * The bounds of one attempt. Its signal asks the code to stop; `stop` ends it: from then on every context call fails
 * with `attempt_over`, and a call that was waiting stays unresolved, so that nothing is thrown into the user's code.
 */
export class AttemptScope {
  readonly #controller = new AbortController()
  readonly #stopped = Promise.withResolvers<AttemptStop>()
  readonly #cleanUps: (() => unknown)[] = []
  readonly #over = new AbortController()
  #stop: AttemptStop | undefined

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Fires when the attempt is over, for timers to be taken down. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  get stopped(): Promise<AttemptStop> {
    return this.#stopped.promise
  }

  /** Asks the code to stop, without ending the attempt. */
  abort(reason: Error): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason)
  }

  /** Ends the attempt. The first reason stays. */
  stop(stop: AttemptStop): void {
    if (this.#over.signal.aborted) return
    this.#stop = stop
    this.#over.abort(OVER)
    this.#stopped.resolve(stop)
  }

  /** The code has returned: no call may follow. */
  close(): void {
    this.#over.abort(OVER)
  }

  requireActive(): void {
    if (!this.#over.signal.aborted) return
    throw new LeaseholdError(
      'attempt_over',
      `This attempt is over (${this.#stop?.type ?? 'its code returned'}); its context can do nothing any more. Await every context call before returning.`,
    )
  }

  defer(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp)
  }

  /** Runs what `use` and `defer` registered, the last first; a failing one does not keep the others from running. */
  async cleanUp(logger: Logger): Promise<void> {
    for (let cleanUp = this.#cleanUps.pop(); cleanUp !== undefined; cleanUp = this.#cleanUps.pop()) {
      try {
        await cleanUp()
      } catch (error) {
        logger.warn('clean-up failed', { error: messageOf(error) })
      }
    }
  }

  /** A read for the code. A store that fails ends the attempt: the code must not take that for an answer. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (isCallersMistake(error)) throw error
      return this.#leaveWaiting({ type: 'store_failed', error })
    }
  }

  /**
   * A write of this attempt under its lease. A lease that merely lapsed is taken again and the write made anew. A lost
   * lease or a store that fails ends the attempt and leaves the caller waiting: the code must not take a storage
   * problem for its own failure.
   */
  async write<T>(keeper: LeaseKeeper, write: (lease: ProcessLease) => Promise<T>): Promise<T> {
    // Code that goes on after a stop waits for ever instead of asking for a lease that is no longer its own.
    if (this.#over.signal.aborted) return new Promise(() => {})
    try {
      if (!(await keeper.ensure())) return await this.#leaveWaiting(refusal(keeper))
      try {
        return await write(keeper.lease)
      } catch (error) {
        if (!isLeaseholdError(error, 'process_lease_lost')) throw error
        if (!(await keeper.renew())) return await this.#leaveWaiting(refusal(keeper))
        return await write(keeper.lease)
      }
    } catch (error) {
      if (isCallersMistake(error)) throw error
      return this.#leaveWaiting({ type: 'store_failed', error })
    }
  }

  #leaveWaiting(stop: AttemptStop): Promise<never> {
    this.stop(stop)
    return new Promise(() => {})
  }
}

const refusal = (keeper: LeaseKeeper): AttemptStop =>
  keeper.isLost
    ? { type: 'lost' }
    : { type: 'store_failed', error: new Error('the lease could not be renewed') }

const MISTAKES: ReadonlySet<string> = new Set([
  'payload_too_large',
  'process_event_undeclared',
  'process_event_schema',
  'process_event_replay_conflict',
  'process_already_terminal',
  'tool_call_key_taken',
  'usage',
])

const isCallersMistake = (error: unknown): boolean => isLeaseholdError(error) && MISTAKES.has(error.code)
