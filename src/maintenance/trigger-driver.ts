import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { type DeliveryReport, startTriggered } from '../execution/start-triggered.ts'
import { messageOf } from '../model/errors.ts'
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
      const reports = await driveTriggers(this.#environment)
      for (const { triggerId, processId, status, reason } of reports) {
        if (status !== 'failed') continue
        logger.warn('a trigger could not start its process; trying again later', {
          triggerId,
          processId,
          reason,
        })
      }
      return (await registry.msUntilTriggerDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      logger.warn('triggers could not be looked at; trying again', { error: messageOf(error) })
      return REGULAR_PASS_MS
    }
  }
}

/** One pass: what is due occurs, and what is reserved starts. A schedule that was missed occurs once for all its times. */
export async function driveTriggers(
  environment: Pick<ExecutionEnvironment, 'host' | 'registry' | 'logger'>,
): Promise<readonly DeliveryReport[]> {
  const { registry } = environment
  const reports: DeliveryReport[] = []
  for (const trigger of await registry.dueSchedules()) {
    const { source, nextAtMs } = trigger
    if (source.type !== 'schedule' || nextAtMs === undefined) continue
    const next = nextOccurrence(source, Math.max(await registry.now(), nextAtMs))
    const recorded = await registry.recordScheduled(trigger, next)
    for (const delivery of recorded?.deliveries ?? [])
      reports.push(await startTriggered(environment, delivery))
  }
  for (const delivery of await registry.dueDeliveries()) {
    reports.push(await startTriggered(environment, delivery))
  }
  return reports
}
