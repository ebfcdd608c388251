import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import { type FoundSchedule, planSchedules } from '../model/schedule-plan.ts'
import type { Trigger } from '../model/trigger.ts'
import { allTriggers } from '../registry/all-triggers.ts'
import { isKeptByBackend } from '../runtime/triggers/calendar.ts'
import type { SweepCompanion } from './sweeper.ts'

/** Of a backend that keeps schedules itself, those of this registry. */
export interface ScheduleBackend {
  list(): Promise<readonly FoundSchedule[]>
  /** What the note of the trigger's schedule says. */
  noteOf(trigger: Trigger): string
  /** Makes it, or what there is of it over to what the trigger is now. */
  put(trigger: Trigger): Promise<void>
  /** One that is not there is no failure. */
  remove(triggerId: string): Promise<void>
}

/** How often it is looked whether a trigger was changed, unless they are so many that a look takes a twentieth of that. */
const LOOK_EVERY_MS = 1_000
const LOOKS_SHARE = 20
/** How often all that the backend has is looked at: it may have lost some, or have been replaced. */
const COMPARE_EVERY_MS = 10_000
const WIDTH = 8

/**
 * Keeps the backend's schedules those of the registry: the missing are made, the changed made over, those without a trigger
 * removed. What it has not come to yet costs nothing but time, since the row of each trigger says when it occurs. For
 * whoever sweeps, so that one at a time does it.
 */
export class ScheduleKeeper implements SweepCompanion {
  readonly #environment: ExecutionEnvironment
  readonly #backend: ScheduleBackend
  /** What the backend has, as far as is known. */
  #known: Map<string, FoundSchedule> | undefined
  #comparedAt = Number.NEGATIVE_INFINITY
  #nextLookAt = Number.NEGATIVE_INFINITY
  #keeping: Promise<void> | undefined
  #isStopped = false
  /** What was said of a trigger already: the same again is not. */
  readonly #said = new Map<string, string>()
  /** By zone and expression: to read one takes longer than to look it up. */
  readonly #kept = new Map<string, boolean>()

  constructor(environment: ExecutionEnvironment, backend: ScheduleBackend) {
    this.#environment = environment
    this.#backend = backend
  }

  /** The look itself goes on beside the sweep: a server that answers late holds nothing up. */
  pass(): void {
    const now = performance.now()
    if (this.#keeping !== undefined || now < this.#nextLookAt) return
    this.#keeping = this.keep().finally(() => {
      this.#keeping = undefined
    })
  }

  forget(): void {
    this.#known = undefined
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#keeping
  }

  /** One look, and what follows from it. Never throws. */
  async keep(): Promise<void> {
    const { registry, logger } = this.#environment
    this.#nextLookAt = performance.now() + LOOK_EVERY_MS
    try {
      const known = await this.#knownNow()
      const lookedAt = performance.now()
      // After the backend: whatever it has is a trigger's by now, or no longer.
      const triggers = (await allTriggers(registry)).filter(trigger => this.#isKept(trigger))
      const { put, remove } = planSchedules(triggers, known, this.#backend.noteOf)
      const tookMs = performance.now() - lookedAt
      this.#nextLookAt = lookedAt + Math.max(LOOK_EVERY_MS, tookMs * LOOKS_SHARE)
      const works = [
        ...put.map(trigger => () => this.#put(known, trigger)),
        ...remove.map(triggerId => () => this.#remove(known, triggerId)),
      ].values()
      // The iterator is shared: each takes the next when it is done with one.
      const take = async () => {
        // Somebody else's duty by now, or no server to do it at: the next look begins anew.
        for (const work of works) if (!this.#isStopped && this.#known === known) await work()
      }
      await Promise.all(Array.from({ length: WIDTH }, take))
      this.#said.delete('')
    } catch (error) {
      if (this.#isServerGone(error)) return
      if (this.#isNews('', error))
        logger.warn('the schedules of Temporal cannot be looked after; trying again', said(error))
    }
  }

  async #knownNow(): Promise<Map<string, FoundSchedule>> {
    const now = performance.now()
    // Where there is none, none can be lost.
    const isOld = now >= this.#comparedAt + COMPARE_EVERY_MS && this.#known?.size !== 0
    if (this.#known !== undefined && !isOld) return this.#known
    const found = await this.#backend.list()
    this.#comparedAt = now
    this.#known = new Map(found.map(one => [one.triggerId, one]))
    return this.#known
  }

  async #put(known: Map<string, FoundSchedule>, trigger: Trigger): Promise<void> {
    const { logger } = this.#environment
    const { triggerId, isPaused } = trigger
    try {
      await this.#backend.put(trigger)
      this.#said.delete(triggerId)
    } catch (error) {
      if (this.#isServerGone(error)) return
      if (this.#isNews(triggerId, error))
        logger.warn('Temporal does not take a schedule; what it is for occurs late', {
          triggerId,
          ...said(error),
        })
    }
    // Not again before the backend is looked at anew, whether it was taken or not.
    known.set(triggerId, { triggerId, note: this.#backend.noteOf(trigger), isPaused })
  }

  async #remove(known: Map<string, FoundSchedule>, triggerId: string): Promise<void> {
    const { logger } = this.#environment
    try {
      await this.#backend.remove(triggerId)
      this.#said.delete(triggerId)
    } catch (error) {
      if (this.#isServerGone(error)) return
      if (this.#isNews(triggerId, error))
        logger.warn('a schedule without a trigger cannot be removed from Temporal', {
          triggerId,
          ...said(error),
        })
    }
    known.delete(triggerId)
  }

  #isKept({ source }: Trigger): boolean {
    if (source.type !== 'schedule') return false
    const key = `${source.timeZone} ${source.cron}`
    const isKept = this.#kept.get(key) ?? isKeptByBackend(source)
    this.#kept.set(key, isKept)
    return isKept
  }

  #isServerGone(error: unknown): boolean {
    const isGone = isLeaseholdError(error, 'temporal_unreachable')
    // When it is back it may be another one, with nothing in it.
    if (isGone) this.#known = undefined
    return isGone
  }

  #isNews(triggerId: string, error: unknown): boolean {
    const reason = messageOf(error)
    const isNew = this.#said.get(triggerId) !== reason
    this.#said.set(triggerId, reason)
    return isNew
  }
}

const said = (error: unknown) => ({ error: messageOf(error) })
