import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { type DeliveryReport, startTriggered } from '../execution/start-triggered.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import type { Trigger } from '../model/trigger.ts'
import { nextOccurrence } from '../runtime/triggers/schedule.ts'
import { Duty } from './duty.ts'

/**
 * Has schedules occur at their times, and starts what nobody has started that recorded an occurrence. Of all the workers of
 * a registry one at a time does it; a second one would only find everything done.
 */
export class TriggerDriver {
  readonly #environment: ExecutionEnvironment
  readonly #duty: Duty
  readonly #watch: DueWatch

  constructor(environment: ExecutionEnvironment) {
    this.#environment = environment
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
      const { reports, unreadable } = await driveTriggers(this.#environment)
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
}

/** One pass: what is due occurs, and what is reserved starts. A schedule that was missed occurs once for all its times. */
export async function driveTriggers(
  environment: Pick<ExecutionEnvironment, 'host' | 'registry' | 'logger'>,
): Promise<DriveReport> {
  const { registry } = environment
  const reports: DeliveryReport[] = []
  const unreadable: { triggerId: string; reason: string }[] = []
  for (const trigger of await registry.dueSchedules()) {
    try {
      const recorded = await registry.recordScheduled(trigger, nextTimeOf(trigger, await registry.now()))
      for (const delivery of recorded?.deliveries ?? [])
        reports.push(await startTriggered(environment, delivery))
    } catch (error) {
      if (!isLeaseholdError(error, 'trigger_invalid')) throw error
      unreadable.push({ triggerId: trigger.triggerId, reason: error.message })
    }
  }
  for (const delivery of await registry.dueDeliveries()) {
    reports.push(await startTriggered(environment, delivery))
  }
  return { reports, unreadable }
}

function nextTimeOf({ source, nextAtMs = 0 }: Trigger, now: number): number | undefined {
  return source.type === 'schedule' ? nextOccurrence(source, Math.max(now, nextAtMs)) : undefined
}
