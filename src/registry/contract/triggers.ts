import type { Json } from '../../model/json.ts'
import type { PageRequest } from '../../model/list.ts'
import type { ScheduleStep } from '../../model/schedule-step.ts'
import type {
  OccurrenceSource,
  SaveTriggerDecision,
  Trigger,
  TriggerDelivery,
  TriggerOccurrence,
  TriggerOrder,
} from '../../model/trigger.ts'

/**
 * Standing orders, what occurred, and what each occurrence is to start. State only: whoever records an occurrence, or a
 * worker, starts it. See `model/trigger.ts`. The time of a schedule's next occurrence is the caller's to say.
 */
export interface TriggerOperations {
  /** Throws `trigger_invalid`. */
  saveTrigger(order: TriggerOrder, options?: { readonly nextAtMs?: number }): Promise<SaveTriggerDecision>
  trigger(triggerId: string): Promise<Trigger | undefined>
  /** In byte order of their ids; `after` is the last one's. */
  triggers(page?: Pick<PageRequest, 'after' | 'limit'>): Promise<Trigger[]>
  /** Throws `trigger_unknown`. */
  pauseTrigger(
    triggerId: string,
    isPaused: boolean,
    options?: { readonly nextAtMs?: number },
  ): Promise<Trigger>
  /** What has occurred before is started all the same. `false`: there is none. */
  removeTrigger(triggerId: string): Promise<boolean>
  /**
   * Records what occurred and reserves a start for each trigger that it concerns, in one write. The same again changes
   * nothing, whatever the triggers are by then. Throws `trigger_occurrence_conflict`.
   */
  recordOccurrence(request: OccurrenceRequest): Promise<RecordedOccurrence>
  /** Schedules whose time has come, the longest due first. */
  dueSchedules(limit?: number): Promise<Trigger[]>
  /**
   * Records that the schedule occurred and sets its next time. `undefined`: nothing occurs, or it is another one than was
   * seen, so somebody else has done it, or it was changed.
   */
  recordScheduled(seen: Trigger, step: ScheduleStep): Promise<RecordedOccurrence | undefined>
  /** Reservations that nobody has started in time, the longest due first. */
  dueDeliveries(limit?: number): Promise<TriggerDelivery[]>
  /** In byte order of the triggers' ids. */
  deliveriesOf(occurrenceId: string): Promise<TriggerDelivery[]>
  /** Absent where it was settled, or pruned with its process. */
  settleDelivery(processId: string, settlement: DeliverySettlement): Promise<TriggerDelivery | undefined>
  /** Milliseconds until a schedule or a reservation is due; absent while none is. */
  msUntilTriggerDue(): Promise<number | undefined>
}

export interface OccurrenceRequest {
  readonly occurrenceId: string
  readonly source: OccurrenceSource
  readonly payload: Json
  /** The workers start it. Default: whoever records it does, and they take over when that does not come. */
  readonly isDueAtOnce?: boolean
}

export type DeliverySettlement =
  | { readonly type: 'started' }
  | { readonly type: 'not_started'; readonly reason: string }

export interface RecordedOccurrence {
  readonly type: 'recorded' | 'known'
  readonly occurrence: TriggerOccurrence
  readonly deliveries: readonly TriggerDelivery[]
}
