import { setTimeout as pause } from 'node:timers/promises'
import { decideFired, FIRED, type FiredSchedule } from '../model/fired-schedule.ts'
import { decideStep, type ScheduleStep } from '../model/schedule-step.ts'
import type { Trigger } from '../model/trigger.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'
import { nextOccurrence } from '../runtime/triggers/schedule.ts'
import { type DeliveryReport, startTriggered } from './start-triggered.ts'

export interface OccurrenceEnvironment {
  readonly host: Host
  readonly registry: ProcessRegistry
}

/**
 * Has a schedule that is due occur, once for all its times that have passed, and starts what that means. Nothing where
 * somebody else was first, or all of them are too long ago. Throws `trigger_invalid` for a schedule that this Node cannot read.
 */
export async function occurSchedule(
  environment: OccurrenceEnvironment,
  trigger: Trigger,
): Promise<readonly DeliveryReport[]> {
  const { registry } = environment
  const recorded = await registry.recordScheduled(trigger, stepOf(trigger, await registry.now()))
  const reports: DeliveryReport[] = []
  for (const delivery of recorded?.deliveries ?? []) reports.push(await startTriggered(environment, delivery))
  return reports
}

export type FiredAnswer =
  | { readonly type: 'occurred'; readonly report: DeliveryReport }
  | { readonly type: 'not_due' | 'stale' }

/** The same for a backend's schedule that has fired: the row decides whether anything occurs. */
export async function occurFired(
  environment: OccurrenceEnvironment,
  fired: FiredSchedule,
): Promise<FiredAnswer> {
  const { registry } = environment
  const look = async () => decideFired(await registry.trigger(fired.triggerId), fired, await registry.now())
  let decision = await look()
  while (decision.type === 'early' && decision.inMs <= FIRED.earlyMs) {
    await pause(decision.inMs)
    decision = await look()
  }
  // Too early for two clocks that agree: the workers see to it when its time has come.
  if (decision.type === 'early') return { type: 'not_due' }
  if (decision.type !== 'occurs') return decision
  const [report] = await occurSchedule(environment, decision.trigger)
  return report === undefined ? { type: 'not_due' } : { type: 'occurred', report }
}

function stepOf({ source, nextAtMs: dueAtMs }: Trigger, now: number): ScheduleStep {
  if (source.type !== 'schedule' || dueAtMs === undefined) return {}
  const { catchUpMs } = source
  const due = { dueAtMs, ...(catchUpMs === undefined ? {} : { catchUpMs }) }
  return decideStep(due, now, ms => nextOccurrence(source, ms))
}
