/**
 * One wait of the code, from the journal's word to the journal's entry:
 *
 *   journaled ──▶ given back, nothing is waited for
 *   else look ─ there already ──▶ journaled, given back
 *             └ not yet ──▶ claimed, with its deadline ──▶ wait here, or park, and look again in the next attempt
 *                                                            └─ there, or the time is over ──▶ journaled, given back
 */
import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { Json } from '../model/json.ts'
import type { WaitCondition, WaitState } from '../model/wait.ts'
import { lookUntil } from '../registry/awaiter.ts'
import type { ProcessChange } from '../registry/store.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AttemptScope } from './attempt-scope.ts'
import { delayUntil } from './delay.ts'
import type { Call, JournalSession } from './journal-session.ts'
import type { Parking } from './parking.ts'
import { describeFailure, stepFailed } from './step-failure.ts'

export interface WaitRunnerParts {
  readonly registry: WatchedRegistry
  readonly journal: JournalSession
  readonly scope: AttemptScope
  readonly parking: Parking
  readonly logger: Logger
}

/** What is journaled of a wait while it lasts: every attempt waits for the same moment. */
export interface Times {
  readonly sinceMs: number
  readonly untilMs?: number
  /** Of a wait for a signal: its number among those for the name. */
  readonly ordinal?: number
}

/** What this code itself has written. */
export const written = <T>(value: Json): T => value as T

const timesOf = ({ value }: JournalEntry): Times => written(value ?? null)

type Watched<Found> = Pick<Waiting<Found>, 'watchedId' | 'look' | 'concerns'>

export interface UntilOptions<Found> {
  readonly watchedId: string
  readonly look: () => Promise<Found | undefined>
}

/** One kind of wait, for one call. */
export interface Waiting<Found> {
  /** What is claimed when it begins. */
  readonly begin: () => Times
  readonly key: (times: Times) => string
  readonly on: WaitCondition
  /** Whose changes are listened to; absent: only the time is waited for. */
  readonly watchedId?: string
  /** The changes that it looks at. Default: any. */
  readonly concerns?: (change: ProcessChange) => boolean
  /** Is it there? Reads only, for it is asked again and again, beside a park that is being written. */
  readonly look: (untilMs: number | undefined) => Promise<Found | undefined>
  /** Journals it and gives what the journal holds. `undefined`: another wait was faster. Throws what has to be thrown. */
  readonly take: (found: Found, untilMs: number | undefined) => Promise<Json | undefined>
  /** What is journaled when the time is over. */
  readonly timedOut: (times: Times) => Json
}

export class WaitRunner {
  readonly #parts: WaitRunnerParts

  constructor(parts: WaitRunnerParts) {
    this.#parts = parts
  }

  /** The wait's resolution as the journal holds it. */
  async run<Found>(call: Call, waiting: Waiting<Found>): Promise<Json> {
    const { journal, scope } = this.#parts
    const decision = journal.decide(call)
    if (decision.type === 'value') return decision.value
    if (decision.type === 'failure') throw stepFailed(call, decision.failure)
    let times = decision.type === 'unknown' ? timesOf(decision.entry) : undefined
    let found = await scope.read(() => waiting.look(times?.untilMs))
    while (true) {
      if (found !== undefined) {
        const value = await this.#take(call, waiting, found, times?.untilMs)
        if (value !== undefined) return value
      }
      times ??= timesOf(
        await journal.save(journal.draft(call, { status: 'claimed', value: { ...waiting.begin() } })),
      )
      const { untilMs } = times
      // Time and news may come together: what came in time counts.
      found = (await this.#waitFor(waiting, times)) ?? (await scope.read(() => waiting.look(untilMs)))
      if (found === undefined) return journal.saveValue(call, waiting.timedOut(times))
    }
  }

  /** What was found, or `undefined` when the time is over. */
  async #waitFor<Found>(waiting: Waiting<Found>, times: Times): Promise<Found | undefined> {
    const { parking } = this.#parts
    const { sinceMs, untilMs } = times
    const state = {
      key: waiting.key(times),
      sinceMs,
      ...(untilMs === undefined ? {} : { untilMs }),
      on: waiting.on,
    }
    return parking.duringWait(state, () => this.#watch(waiting, untilMs))
  }

  /** A wait without end that journals nothing: what it waits for stands in the journal itself. */
  until<Found>(state: WaitState, watched: UntilOptions<Found>): Promise<Found> {
    return this.#parts.parking.duringWait(state, async () => {
      const found = await this.#watch(watched, undefined)
      // Without a time limit nothing else ends it.
      if (found === undefined) throw new LeaseholdError('internal', 'A wait without end has ended.')
      return found
    })
  }

  /** Left unresolved, with nothing listening, once the attempt is over: nobody may hear of it any more. */
  async #watch<Found>(
    { watchedId, look, concerns }: Watched<Found>,
    untilMs: number | undefined,
  ): Promise<Found | undefined> {
    const { registry, scope, journal } = this.#parts
    const done = new AbortController()
    const signal = AbortSignal.any([scope.signal, scope.over, done.signal])
    const ways: Promise<Found | undefined>[] = []
    if (watchedId !== undefined) {
      const options = concerns === undefined ? { signal } : { signal, concerns }
      const lookAgain = () => this.#lookAgain(() => look(untilMs), signal)
      ways.push(lookUntil(registry, watchedId, lookAgain, options))
    }
    if (untilMs !== undefined)
      ways.push(delayUntil(untilMs, () => journal.now(), signal).then(() => undefined))
    try {
      return await Promise.race(ways)
    } catch (error) {
      if (scope.over.aborted) return await new Promise(() => {})
      throw error
    } finally {
      done.abort()
    }
  }

  /** A look that fails is a warning: whoever only waits has time for the next. */
  async #lookAgain<T>(look: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await look()
    } catch (error) {
      if (!signal.aborted)
        this.#parts.logger.warn('cannot look for what is waited for; looking again', {
          error: messageOf(error),
        })
      return undefined
    }
  }

  async #take<Found>(
    call: Call,
    waiting: Waiting<Found>,
    found: Found,
    untilMs: number | undefined,
  ): Promise<Json | undefined> {
    const { journal } = this.#parts
    try {
      return await waiting.take(found, untilMs)
    } catch (error) {
      // What there is not today may be there at the replay: the code must see the same.
      const failure = describeFailure(error)
      await journal.save(journal.draft(call, { status: 'failed', failure, endedAtMs: Date.now() }))
      throw stepFailed(call, failure, error)
    }
  }
}
