import type { Json } from '../../model/json.ts'
import type { OccurrenceSource, TriggerDelivery, TriggeredStart, TriggerSource } from '../../model/trigger.ts'
import type { JsonText } from './json-text.ts'

export interface TriggerRow {
  readonly trigger_id: string
  readonly incarnation: string
  readonly revision: number
  readonly version: number
  readonly source: JsonText<TriggerSource>
  readonly start: JsonText<TriggeredStart>
  readonly is_paused: number
  /** The event's name, while it is on. */
  readonly listens_to: string | null
  readonly next_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

export interface TriggerOccurrenceRow {
  readonly occurrence_id: string
  readonly source: JsonText<OccurrenceSource>
  readonly payload: JsonText<Json>
  readonly occurred_at: number
}

export interface TriggerDeliveryRow {
  readonly process_id: string
  readonly occurrence_id: string
  readonly trigger_id: string
  /** The trigger as it was when it occurred. */
  readonly ordered: JsonText<TriggerDelivery['trigger']>
  readonly status: TriggerDelivery['status']
  readonly due_at: number | null
  readonly failures: number
  readonly reason: string | null
  readonly reserved_at: number
  readonly version: number
}
