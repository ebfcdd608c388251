import type { AppendRequest, ProcessEvent } from '../../model/event.ts'
import type { WakeDelivery } from '../../model/wake.ts'

export interface EventOperations {
  /**
   * See the contract in `decideAppend`. A replay returns the original event. One that ends the process is refused while
   * a lease is live (`process_lease_busy`): its holder emits it.
   */
  append(id: string, request: AppendRequest): Promise<AppendResult>
  /** Events with a sequence above `after` (0: all), ascending. `limit` defaults to 1,000. */
  eventsAfter(id: string, after: number, limit?: number): Promise<ProcessEvent[]>
  /** The first event of the type with a sequence above `after`. */
  findEvent(id: string, eventType: string, after: number): Promise<ProcessEvent | undefined>
  /** The last events, ascending. `limit` defaults to 32. */
  recentEvents(id: string, limit?: number): Promise<ProcessEvent[]>
  /** Events of one type with a sequence up to `through`, itself included. */
  countEventsThrough(id: string, eventType: string, through: number): Promise<number>
  /** Events above `after` that woke somebody and are not acknowledged, ascending. `limit` defaults to 1,000. */
  wakeEventsAfter(id: string, after: number, limit?: number): Promise<ProcessEvent[]>
  /** The wake of this event was taken note of. Idempotent. */
  ackWake(id: string, sequence: number): Promise<void>
}

export interface AppendResult {
  readonly type: 'appended' | 'replayed'
  readonly event: ProcessEvent
  /** What the event's wake says and to whom, where there is somebody to wake. It is in the outbox already. */
  readonly wakeDelivery?: WakeDelivery
}
