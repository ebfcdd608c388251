import { expect, test } from 'vitest'
import { type FoundSchedule, planSchedules } from '../../src/model/schedule-plan.ts'
import type { Trigger } from '../../src/model/trigger.ts'

const trigger = (triggerId: string, patch: Partial<Trigger> = {}): Trigger => ({
  triggerId,
  source: { type: 'schedule', cron: '@daily', timeZone: 'UTC' },
  start: { kind: 'report' },
  incarnation: 'one',
  revision: 1,
  isPaused: false,
  createdAtMs: 0,
  updatedAtMs: 0,
  version: 1,
  ...patch,
})
const noteOf = ({ incarnation, revision }: Trigger) => `${incarnation} ${revision}`
const found = (triggerId: string, note = 'one 1', isPaused = false): FoundSchedule => ({
  triggerId,
  note,
  isPaused,
})

test.each<[string, Trigger[], FoundSchedule[], { put: string[]; remove: string[] }]>([
  ['that are all there are left alone', [trigger('a')], [found('a')], { put: [], remove: [] }],
  ['that are missing are made', [trigger('a'), trigger('b')], [found('b')], { put: ['a'], remove: [] }],
  [
    'of another revision are made over',
    [trigger('a', { revision: 2 })],
    [found('a')],
    { put: ['a'], remove: [] },
  ],
  [
    'of another life are made over',
    [trigger('a', { incarnation: 'two' })],
    [found('a')],
    { put: ['a'], remove: [] },
  ],
  ['that somebody has paused go on', [trigger('a')], [found('a', 'one 1', true)], { put: ['a'], remove: [] }],
  [
    'whose trigger is paused are paused',
    [trigger('a', { isPaused: true })],
    [found('a')],
    { put: ['a'], remove: [] },
  ],
  ['of no trigger are removed', [], [found('a'), found('b')], { put: [], remove: ['a', 'b'] }],
])('schedules %s', (_, triggers, there, { put, remove }) => {
  const plan = planSchedules(triggers, new Map(there.map(one => [one.triggerId, one])), noteOf)
  expect(plan.put.map(({ triggerId }) => triggerId)).toEqual(put)
  expect(plan.remove).toEqual(remove)
})
