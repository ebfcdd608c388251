import { reserve, type Trigger, type TriggerDelivery } from '../../src/model/trigger.ts'
import { NOW } from '../model/fixtures.ts'

export const newTrigger = (patch: Partial<Trigger> = {}): Trigger => ({
  triggerId: 'a',
  source: { type: 'event', name: 'push' },
  start: { kind: 'build' },
  incarnation: 'life',
  revision: 1,
  isPaused: false,
  createdAtMs: NOW,
  updatedAtMs: NOW,
  version: 1,
  ...patch,
})

export const newDelivery = (): TriggerDelivery => {
  const source = { type: 'event', name: 'push' } as const
  const occurrence = { occurrenceId: 'o', source, payload: null, occurredAtMs: NOW }
  return reserve(newTrigger(), occurrence, { now: NOW, isDueAtOnce: false })
}
