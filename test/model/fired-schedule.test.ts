import { expect, test } from 'vitest'
import { decideFired, type FiredSchedule } from '../../src/model/fired-schedule.ts'
import type { Trigger } from '../../src/model/trigger.ts'

const AT = Date.parse('2026-11-22T02:30:00Z')
const DAY = 86_400_000
const trigger: Trigger = {
  triggerId: 'nightly',
  source: { type: 'schedule', cron: '30 2 * * *', timeZone: 'UTC' },
  start: { kind: 'report' },
  incarnation: 'one',
  revision: 3,
  isPaused: false,
  nextAtMs: AT,
  createdAtMs: 0,
  updatedAtMs: 0,
  version: 7,
}
const fired: FiredSchedule = { triggerId: 'nightly', incarnation: 'one', revision: 3, scheduledAtMs: AT }
const { nextAtMs: _, ...ended } = trigger
const event: Trigger = { ...ended, source: { type: 'event', name: 'push' } }

test.each<[string, Trigger | undefined, Partial<FiredSchedule>, number, object]>([
  ['at its time, it occurs', trigger, {}, AT, { type: 'occurs', trigger }],
  ['late, it occurs', trigger, {}, AT + DAY / 2, { type: 'occurs', trigger }],
  [
    'for a later time than one that was missed, that one occurs',
    trigger,
    { scheduledAtMs: AT + DAY },
    AT + DAY,
    { type: 'occurs' },
  ],
  ['before the registry’s clock says so, it is early', trigger, {}, AT - 40, { type: 'early', inMs: 40 }],
  ['a second time, it is not due', { ...trigger, nextAtMs: AT + DAY }, {}, AT + 5, { type: 'not_due' }],
  [
    'by hand between two times, it is not due',
    trigger,
    { scheduledAtMs: AT - 1_000 },
    AT - 1_000,
    { type: 'not_due' },
  ],
  ['when it has no more times, it is not due', ended, {}, AT, { type: 'not_due' }],
  ['after a change, it is stale', { ...trigger, revision: 4 }, {}, AT, { type: 'stale' }],
  ['after the registry was put back, it is stale', { ...trigger, revision: 2 }, {}, AT, { type: 'stale' }],
  [
    'for another life of the trigger, it is stale',
    { ...trigger, incarnation: 'two' },
    {},
    AT,
    { type: 'stale' },
  ],
  ['while the trigger is paused, it is stale', { ...ended, isPaused: true }, {}, AT, { type: 'stale' }],
  ['when the trigger waits for an event now, it is stale', event, {}, AT, { type: 'stale' }],
  ['when there is no trigger, it is stale', undefined, {}, AT, { type: 'stale' }],
])('a schedule that fires: %s', (_name, stored, patch, now, decision) => {
  expect(decideFired(stored, { ...fired, ...patch }, now)).toMatchObject(decision)
})
