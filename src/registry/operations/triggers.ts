import { v7 as uuidv7 } from 'uuid'
import { LeaseholdError } from '../../model/errors.ts'
import { type Json, jsonBytes } from '../../model/json.ts'
import { requirePageLimit } from '../../model/list.ts'
import { MAX_PAYLOAD_BYTES } from '../../model/registration.ts'
import {
  decidePauseTrigger,
  decideSaveTrigger,
  decideScheduleOccurs,
  decideSettleDelivery,
  isMeant,
  requireOccurrence,
  requireOrder,
  requireSameOccurrence,
  reserve,
  scheduleOccurrenceId,
  TRIGGERS,
  type Trigger,
  type TriggerDelivery,
  unknownTrigger,
} from '../../model/trigger.ts'
import type { OccurrenceRequest, RecordedOccurrence, TriggerOperations } from '../registry.ts'
import type { Operation, ProcessStore, StoreTransaction } from '../store.ts'

export function createTriggerOperations(store: ProcessStore): TriggerOperations {
  return {
    saveTrigger: async (order, { nextAtMs } = {}) => {
      requireOrder(order)
      requireSize(`trigger "${order.triggerId}"`, order.start.input ?? null)
      const incarnation = uuidv7()
      return store.transaction(function* (tx) {
        const existing = yield* tx.loadTrigger(order.triggerId)
        const next = nextAtMs === undefined ? {} : { nextAtMs }
        const decision = decideSaveTrigger(existing, order, { now: yield* tx.now(), incarnation, ...next })
        if (decision.type === 'changed') yield* tx.saveTrigger(decision.trigger, decision.trigger.version - 1)
        if (decision.type !== 'added' || (yield* tx.insertTrigger(decision.trigger))) return decision
        // Another transaction added it since it was looked for: what it has is compared, or replaced.
        const added = yield* tx.loadTrigger(order.triggerId)
        const second = decideSaveTrigger(added, order, { now: yield* tx.now(), incarnation, ...next })
        if (second.type === 'changed') yield* tx.saveTrigger(second.trigger, second.trigger.version - 1)
        return second
      })
    },

    trigger: id => store.read(reader => reader.loadTrigger(id)),

    triggers: async ({ after = '', limit } = {}) => {
      const atMost = requirePageLimit(limit)
      return store.read(reader => reader.listTriggers(after, atMost))
    },

    pauseTrigger: (id, isPaused, { nextAtMs } = {}) =>
      store.transaction(function* (tx) {
        const trigger = yield* tx.loadTrigger(id)
        if (trigger === undefined) throw unknownTrigger(id)
        const next = nextAtMs === undefined ? {} : { nextAtMs }
        const paused = decidePauseTrigger(trigger, isPaused, { now: yield* tx.now(), ...next })
        if (paused !== undefined) yield* tx.saveTrigger(paused, trigger.version)
        return paused ?? trigger
      }),

    removeTrigger: id => store.transaction(tx => tx.deleteTrigger(id)),

    recordOccurrence: async request => {
      requireOccurrence(request)
      requireSize(`occurrence "${request.occurrenceId}"`, request.payload)
      return store.transaction(function* (tx) {
        const triggers = request.source.type === 'event' ? yield* tx.listTriggersOf(request.source.name) : []
        return yield* record(tx, request, triggers)
      })
    },

    dueSchedules: (limit = TRIGGERS.batch) =>
      store.read(function* (reader) {
        return yield* reader.listDueTriggers(yield* reader.now(), limit)
      }),

    recordScheduled: (seen, { occursAtMs, nextAtMs }) =>
      store.transaction(function* (tx) {
        const trigger = yield* tx.loadTrigger(seen.triggerId)
        const next = decideScheduleOccurs(trigger, seen, nextAtMs)
        if (trigger === undefined || next === undefined) return undefined
        if (!(yield* tx.saveTrigger(next, trigger.version))) return undefined
        if (occursAtMs === undefined) return undefined
        const scheduledAt = new Date(occursAtMs).toISOString()
        const { triggerId } = trigger
        return yield* record(
          tx,
          {
            occurrenceId: scheduleOccurrenceId(trigger, occursAtMs),
            source: { type: 'schedule', triggerId },
            payload: { triggerId, scheduledAt },
          },
          [trigger],
        )
      }),

    dueDeliveries: (limit = TRIGGERS.batch) =>
      store.read(function* (reader) {
        return yield* reader.listDueDeliveries(yield* reader.now(), limit)
      }),

    deliveriesOf: occurrenceId => store.read(reader => reader.listDeliveries(occurrenceId)),

    settleDelivery: (processId, settlement) =>
      store.transaction(function* (tx) {
        const delivery = yield* tx.loadDelivery(processId)
        const settled = delivery && decideSettleDelivery(delivery, settlement, yield* tx.now())
        if (delivery === undefined || settled === undefined) return undefined
        return (yield* tx.saveDelivery(settled, delivery.version)) ? settled : undefined
      }),

    msUntilTriggerDue: () =>
      store.read(function* (reader) {
        const dues = [yield* reader.nextTriggerDue(), yield* reader.nextDeliveryDue()]
        const due = Math.min(...dues.filter(at => at !== undefined))
        return Number.isFinite(due) ? Math.max(0, due - (yield* reader.now())) : undefined
      }),
  }
}

/** Whoever comes second finds the first one's record, and with it what was reserved then. */
function* record(
  tx: StoreTransaction,
  { isDueAtOnce = false, ...request }: OccurrenceRequest,
  triggers: readonly Trigger[],
): Operation<RecordedOccurrence> {
  const now = yield* tx.now()
  const occurrence = { ...request, occurredAtMs: now }
  if (!(yield* tx.insertOccurrence(occurrence))) {
    const known = yield* tx.loadOccurrence(occurrence.occurrenceId)
    if (known !== undefined) requireSameOccurrence(known, occurrence)
    const deliveries = yield* tx.listDeliveries(occurrence.occurrenceId)
    return { type: 'known', occurrence: known ?? occurrence, deliveries }
  }
  const deliveries: TriggerDelivery[] = triggers
    .filter(trigger => isMeant(trigger, occurrence.source))
    .map(trigger => reserve(trigger, occurrence, { now, isDueAtOnce }))
  for (const delivery of deliveries) yield* tx.insertDelivery(delivery)
  return { type: 'recorded', occurrence, deliveries }
}

function requireSize(what: string, payload: Json): void {
  const bytes = jsonBytes(payload)
  if (bytes <= MAX_PAYLOAD_BYTES) return
  throw new LeaseholdError(
    'payload_too_large',
    `The payload of ${what} has ${bytes} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Store it elsewhere and pass a reference.`,
    { details: { bytes } },
  )
}
