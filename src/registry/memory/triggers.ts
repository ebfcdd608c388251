import { LeaseholdError } from '../../model/errors.ts'
import { compareBytes } from '../../model/order.ts'
import type { Trigger, TriggerDelivery } from '../../model/trigger.ts'
import { immediately } from '../operation.ts'
import type { StoreReader, StoreTransaction } from '../store.ts'
import { frozenCopy } from './frozen.ts'
import type { MemoryState } from './state.ts'

type TriggerReader = Pick<
  StoreReader,
  | 'loadTrigger'
  | 'listTriggers'
  | 'listTriggersOf'
  | 'listDueTriggers'
  | 'nextTriggerDue'
  | 'loadOccurrence'
  | 'loadDelivery'
  | 'listDeliveries'
  | 'listDueDeliveries'
  | 'nextDeliveryDue'
>

export const createTriggerReader = (state: MemoryState): TriggerReader => ({
  loadTrigger: id => immediately(() => state.triggers.get(id)),
  listTriggers: (after, limit) =>
    immediately(() =>
      inOrder(state)
        .filter(({ triggerId }) => compareBytes(triggerId, after) > 0)
        .slice(0, limit),
    ),
  listTriggersOf: name =>
    immediately(() =>
      inOrder(state).filter(
        ({ source, isPaused }) => !isPaused && source.type === 'event' && source.name === name,
      ),
    ),
  listDueTriggers: (now, limit) =>
    immediately(() =>
      dueTriggers(state)
        .filter(({ dueAtMs }) => dueAtMs <= now)
        .slice(0, limit)
        .map(({ trigger }) => trigger),
    ),
  nextTriggerDue: () => immediately(() => dueTriggers(state)[0]?.dueAtMs),
  loadOccurrence: id => immediately(() => state.occurrences.get(id)),
  loadDelivery: id => immediately(() => state.deliveries.get(id)),
  listDeliveries: occurrenceId =>
    immediately(() =>
      [...state.deliveries.values()]
        .filter(({ occurrence }) => occurrence.occurrenceId === occurrenceId)
        .sort((left, right) => compareBytes(left.trigger.triggerId, right.trigger.triggerId)),
    ),
  listDueDeliveries: (now, limit) =>
    immediately(() =>
      dueDeliveries(state)
        .filter(({ dueAtMs }) => dueAtMs <= now)
        .slice(0, limit)
        .map(({ delivery }) => delivery),
    ),
  nextDeliveryDue: () => immediately(() => dueDeliveries(state)[0]?.dueAtMs),
})

type TriggerWriter = Pick<
  StoreTransaction,
  | 'insertTrigger'
  | 'saveTrigger'
  | 'deleteTrigger'
  | 'insertOccurrence'
  | 'insertDelivery'
  | 'saveDelivery'
  | 'deleteDelivery'
  | 'deleteOccurrences'
>

export const createTriggerWriter = (state: MemoryState): TriggerWriter => ({
  insertTrigger: trigger =>
    immediately(() => {
      if (state.triggers.get(trigger.triggerId) !== undefined) return false
      state.triggers.set(trigger.triggerId, frozenCopy(trigger))
      return true
    }),
  saveTrigger: (trigger, expectedVersion) =>
    immediately(() => {
      const stored = state.triggers.get(trigger.triggerId)
      if (stored?.incarnation !== trigger.incarnation || stored.version !== expectedVersion) return false
      state.triggers.set(trigger.triggerId, frozenCopy(trigger))
      return true
    }),
  deleteTrigger: id =>
    immediately(() => {
      const isThere = state.triggers.get(id) !== undefined
      state.triggers.delete(id)
      return isThere
    }),
  insertOccurrence: occurrence =>
    immediately(() => {
      if (state.occurrences.get(occurrence.occurrenceId) !== undefined) return false
      state.occurrences.set(occurrence.occurrenceId, frozenCopy(occurrence))
      return true
    }),
  insertDelivery: delivery =>
    immediately(() => {
      if (state.deliveries.get(delivery.processId) !== undefined) {
        throw new LeaseholdError(
          'internal',
          `The store refused a second delivery of process "${delivery.processId}".`,
          { processId: delivery.processId },
        )
      }
      state.deliveries.set(delivery.processId, frozenCopy(delivery))
    }),
  saveDelivery: (delivery, expectedVersion) =>
    immediately(() => {
      if (state.deliveries.get(delivery.processId)?.version !== expectedVersion) return false
      state.deliveries.set(delivery.processId, frozenCopy(delivery))
      return true
    }),
  deleteDelivery: id => immediately(() => state.deliveries.delete(id)),
  deleteOccurrences: before =>
    immediately(() => {
      for (const [id, { occurredAtMs }] of state.occurrences.entries()) {
        const deliveries = [...state.deliveries.values()].filter(one => one.occurrence.occurrenceId === id)
        if (occurredAtMs >= before || deliveries.some(({ status }) => status !== 'failed')) continue
        for (const { processId } of deliveries) state.deliveries.delete(processId)
        state.occurrences.delete(id)
      }
    }),
})

const inOrder = (state: MemoryState): Trigger[] =>
  [...state.triggers.values()].sort((left, right) => compareBytes(left.triggerId, right.triggerId))

const dueTriggers = (state: MemoryState): { trigger: Trigger; dueAtMs: number }[] =>
  inOrder(state)
    .flatMap(trigger => (trigger.nextAtMs === undefined ? [] : [{ trigger, dueAtMs: trigger.nextAtMs }]))
    .sort((left, right) => left.dueAtMs - right.dueAtMs)

const dueDeliveries = (state: MemoryState): { delivery: TriggerDelivery; dueAtMs: number }[] =>
  [...state.deliveries.values()]
    .flatMap(delivery => (delivery.dueAtMs === undefined ? [] : [{ delivery, dueAtMs: delivery.dueAtMs }]))
    .sort(
      (left, right) =>
        left.dueAtMs - right.dueAtMs || compareBytes(left.delivery.processId, right.delivery.processId),
    )
