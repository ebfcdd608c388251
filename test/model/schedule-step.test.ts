import { expect, test } from 'vitest'
import { decideStep, type ScheduleStep } from '../../src/model/schedule-step.ts'

const HOUR = 3_600_000
/** On the hour, the last time at ten. */
const nextAfter = (ms: number) => {
  const next = (Math.floor(ms / HOUR) + 1) * HOUR
  return next > 10 * HOUR ? undefined : next
}

test.each<[string, { due: number; catchUp?: number; now: number }, ScheduleStep]>([
  ['at its time it occurs', { due: 2, now: 2 }, { occursAtMs: 2, nextAtMs: 3 }],
  ['late it occurs as what it was due for', { due: 2, now: 2.5 }, { occursAtMs: 2, nextAtMs: 3 }],
  ['of many times the first one occurs', { due: 2, now: 6.5 }, { occursAtMs: 2, nextAtMs: 7 }],
  ['the last one occurs however late', { due: 10, now: 90 }, { occursAtMs: 10 }],
  ['within its window it occurs', { due: 2, catchUp: 1, now: 3 }, { occursAtMs: 2, nextAtMs: 4 }],
  [
    'of many the first one within the window occurs',
    { due: 2, catchUp: 2, now: 6.5 },
    { occursAtMs: 5, nextAtMs: 7 },
  ],
  [
    'one at the edge of the window is within it',
    { due: 2, catchUp: 2, now: 6 },
    { occursAtMs: 4, nextAtMs: 7 },
  ],
  ['none occurs that is longer ago', { due: 2, catchUp: 0.25, now: 6.5 }, { nextAtMs: 7 }],
  ['none occurs when all are longer ago', { due: 10, catchUp: 2, now: 90 }, {}],
])('of a schedule that is due, %s', (_, { due, catchUp, now }, expected) => {
  const window = catchUp === undefined ? {} : { catchUpMs: catchUp * HOUR }
  const { occursAtMs, nextAtMs } = decideStep({ dueAtMs: due * HOUR, ...window }, now * HOUR, nextAfter)
  expect({
    ...(occursAtMs === undefined ? {} : { occursAtMs: occursAtMs / HOUR }),
    ...(nextAtMs === undefined ? {} : { nextAtMs: nextAtMs / HOUR }),
  }).toEqual(expected)
})
