import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { occurSchedule } from '../execution/occur-schedule.ts'
import { type DeliveryReport, startTriggered } from '../execution/start-triggered.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import { FIRED } from '../model/fired-schedule.ts'
import type { Trigger } from '../model/trigger.ts'
import { isOnCalendar } from '../runtime/triggers/calendar.ts'
import { Duty } from './duty.ts'

/** While a schedule is due that its backend is to tell of. */
const WAITING_PASS_MS = 250

export interface DriveOptions {
  /**
   * A backend tells when schedules occur: left to it are those that its calendars have, for some seconds. Default: nobody
   * does.
   */
  readonly hasBackendSchedules?: boolean
}

/**
 * Has schedules occur at their times, or where a backend tells of them those that it has missed, and starts what nobody has
 * started that recorded an occurrence. Of all the workers of a registry one at a time does it; a second one would only find
 * everything done.
 */
export class TriggerDriver {
  readonly #environment: ExecutionEnvironment
  readonly #duty: Duty
  readonly #watch: DueWatch
  readonly #options: DriveOptions

  constructor(environment: ExecutionEnvironment, options: DriveOptions = {}) {
    this.#environment = environment
    this.#options = options
    const { registry } = environment
    this.#duty = new Duty(environment, 'triggers')
    this.#watch = new DueWatch(registry, {
      pass: () => this.#pass(),
      msUntilDue: () => registry.msUntilTriggerDue(),
      // Processes come and go without any of this becoming due.
      isOfInterest: () => false,
    })
  }

  start(): void {
    this.#watch.start()
  }

  /** Ends the pass in flight. */
  async stop(): Promise<void> {
    await this.#watch.stop()
    await this.#duty.release()
  }

  async #pass(): Promise<number> {
    const { registry, logger } = this.#environment
    try {
      const ms = await registry.msUntilTriggerDue()
      if (ms === undefined || ms > 0) return ms ?? REGULAR_PASS_MS
      if (!(await this.#duty.take())) return REGULAR_PASS_MS
      const { reports, unreadable, isAnyLeft } = await driveTriggers(this.#environment, this.#options)
      for (const { triggerId, processId, status, reason } of reports) {
        if (status !== 'failed') continue
        logger.warn('a trigger could not start its process; trying again later', {
          triggerId,
          processId,
          reason,
        })
      }
      for (const { triggerId, reason } of unreadable) {
        logger.warn('a schedule cannot be read; it waits for a worker that can, or to be changed', {
          triggerId,
          reason,
        })
      }
      // They stay due.
      if (unreadable.length > 0) return REGULAR_PASS_MS
      if (isAnyLeft) return WAITING_PASS_MS
      return (await registry.msUntilTriggerDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      logger.warn('triggers could not be looked at; trying again', { error: messageOf(error) })
      return REGULAR_PASS_MS
    }
  }
}

export interface DriveReport {
  readonly reports: readonly DeliveryReport[]
  /** Schedules whose next time this Node cannot tell, as when it does not know their time zone. They stay due. */
  readonly unreadable: readonly { readonly triggerId: string; readonly reason: string }[]
  /** Whether one is due that was left to the backend. */
  readonly isAnyLeft: boolean
}

/** One pass: what is due occurs, and what is reserved starts. A schedule that was missed occurs once for all its times. */
export async function driveTriggers(
  environment: Pick<ExecutionEnvironment, 'host' | 'registry' | 'logger'>,
  { hasBackendSchedules = false }: DriveOptions = {},
): Promise<DriveReport> {
  const { registry, logger } = environment
  const reports: DeliveryReport[] = []
  const unreadable: { triggerId: string; reason: string }[] = []
  let isAnyLeft = false
  for (const trigger of await registry.dueSchedules()) {
    const isTold = hasBackendSchedules && isToldOf(trigger)
    if (isTold && !isLate(trigger, await registry.now())) {
      isAnyLeft = true
      continue
    }
    try {
      const occurred = await occurSchedule(environment, trigger)
      reports.push(...occurred)
      if (isTold && occurred.length > 0) logger.info('a schedule of Temporal has not fired', missed(trigger))
    } catch (error) {
      if (!isLeaseholdError(error, 'trigger_invalid')) throw error
      unreadable.push({ triggerId: trigger.triggerId, reason: error.message })
    }
  }
  for (const delivery of await registry.dueDeliveries()) {
    reports.push(await startTriggered(environment, delivery))
  }
  return { reports, unreadable, isAnyLeft }
}

const isToldOf = ({ source, nextAtMs = 0 }: Trigger): boolean =>
  source.type === 'schedule' && isOnCalendar(source, nextAtMs)

/** However long its backend is away, a schedule occurs, as it does where there is none. */
const isLate = ({ nextAtMs = 0 }: Trigger, now: number): boolean => now >= nextAtMs + FIRED.lateMs

const missed = ({ triggerId, nextAtMs = 0 }: Trigger) => ({
  triggerId,
  scheduledAt: new Date(nextAtMs).toISOString(),
})
