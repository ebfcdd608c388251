import { Cron } from 'croner'
import { describe, expect, test } from 'vitest'
import { type Calendar, calendarsOf, isOnCalendar, zoneNameOf } from '../../src/runtime/triggers/calendar.ts'
import { nextOccurrence } from '../../src/runtime/triggers/schedule.ts'

const schedule = (cron: string, timeZone = 'UTC') => ({ type: 'schedule', cron, timeZone }) as const
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
const WEEK = range(0, 6)
const isLeap = (year: number) => new Date(Date.UTC(year, 2, 0)).getUTCDate() === 29

/** As whoever has the calendars reads them. */
function isIn(calendars: readonly Calendar[], time: Date): boolean {
  return calendars.some(
    ({ second, minute, hour, dayOfMonth, month, dayOfWeek, years }) =>
      second.includes(time.getUTCSeconds()) &&
      minute.includes(time.getUTCMinutes()) &&
      hour.includes(time.getUTCHours()) &&
      dayOfMonth.includes(time.getUTCDate()) &&
      month.includes(time.getUTCMonth() + 1) &&
      dayOfWeek.includes(time.getUTCDay()) &&
      (years === undefined || (years === 'leap') === isLeap(time.getUTCFullYear())),
  )
}

describe('a schedule as calendars', () => {
  const all = { month: range(1, 12), dayOfMonth: range(1, 31), dayOfWeek: WEEK }
  const at = (hour: number, minute = 0) => ({ second: [0], minute: [minute], hour: [hour] })
  const [long, short] = [
    [1, 3, 5, 7, 8, 10, 12],
    [4, 6, 9, 11],
  ]
  test.each<[string, readonly Partial<Calendar>[]]>([
    ['30 2 * * *', [{ ...all, ...at(2, 30) }]],
    ['@hourly', [{ ...all, second: [0], minute: [0], hour: range(0, 23) }]],
    [
      '*/15 0 9-17/4 * * MON-FRI',
      [{ ...all, second: [0, 15, 30, 45], minute: [0], hour: [9, 13, 17], dayOfWeek: range(1, 5) }],
    ],
    ['0 7 ? JAN,DEC 7', [{ ...all, ...at(7), month: [1, 12], dayOfWeek: [0] }]],
    // Either of the two, as ever in cron.
    [
      '0 0 1,15 * MON',
      [
        { ...all, dayOfMonth: [1, 15] },
        { ...all, dayOfMonth: [...range(2, 14), ...range(16, 31)], dayOfWeek: [1] },
      ],
    ],
    ['0 0 1-7 * +MON', [{ ...all, dayOfMonth: range(1, 7), dayOfWeek: [1] }]],
    ['0 0 * * FRI#2', [{ ...all, dayOfMonth: range(8, 14), dayOfWeek: [5] }]],
    [
      '0 0 L * *',
      [
        { month: long, dayOfMonth: [31] },
        { month: short, dayOfMonth: [30] },
        { month: [2], dayOfMonth: [29], years: 'leap' },
        { month: [2], dayOfMonth: [28], years: 'common' },
      ],
    ],
    ['0 0 29 2 *', [{ ...all, month: [2], dayOfMonth: [29] }]],
  ])('%s', (cron, expected) => {
    const calendars = calendarsOf(schedule(cron))
    expect(calendars).toMatchObject(expected)
    expect(calendars).toHaveLength(expected.length)
  })

  test.each([
    '0 0 1,15 * MON',
    '0 0 */2 * 1-5',
    '0 0 L * *',
    '0 0 15,L * *',
    '0 0 LW * *',
    '0 0 15W * *',
    '0 0 1W,31W * *',
    '0 0 * * FRI#L',
    '0 0 * * 5L',
    '0 0 * * MON#1,WED#3',
    '0 0 1 * SUN#5',
    '0 0 8-14 * +SUN',
    '0 0 31 * *',
    '0 0 29 2 *',
    '0 12 L 2 MON',
    '0 0 30W 4-6 *',
  ])('%s has the same times', cron => {
    const [from, to] = [Date.UTC(2027, 0, 1), Date.UTC(2029, 0, 1)]
    const calendars = calendarsOf(schedule(cron))
    const halves = Array.from({ length: (to - from) / 43_200_000 }, (_, n) => new Date(from + n * 43_200_000))
    const runs: Date[] = []
    for (const time of new Cron(cron, { timezone: 'UTC', paused: true }).enumerate(new Date(from - 1))) {
      if (time.getTime() >= to) break
      runs.push(time)
    }
    expect(runs.length).toBeGreaterThan(0)
    expect(halves.filter(time => isIn(calendars, time))).toEqual(runs)
  })

  test('is refused as the schedule would be', () => {
    expect(() => calendarsOf(schedule('daily'))).toThrow('five fields')
  })
})

describe('a time of a schedule is left to its calendars', () => {
  test.each([
    ['on any day', '30 2 * * *', 'Europe/Berlin', '2027-03-27T00:00:00Z', true],
    [
      'not where the hour is left out, and it comes right after',
      '30 2 * * *',
      'Europe/Berlin',
      '2027-03-28T00:00:00Z',
      false,
    ],
    ['not where the hour comes twice', '30 2 * * *', 'Europe/Berlin', '2027-10-30T12:00:00Z', false],
    ['in a zone by another of its names', '0 9 * * *', 'asia/kolkata', '2027-01-01T00:00:00Z', true],
    ['not in a zone that is an offset', '0 9 * * *', '+05:30', '2027-01-01T00:00:00Z', false],
  ])('%s', (_, cron, timeZone, after, isOn) => {
    const asked = schedule(cron, timeZone)
    const next = nextOccurrence(asked, Date.parse(after))
    expect(isOnCalendar(asked, next ?? 0)).toBe(isOn)
  })

  test('zones have one name', () => {
    expect(['europe/berlin', 'utc', '+02:00'].map(zone => zoneNameOf(schedule('@daily', zone)))).toEqual([
      'Europe/Berlin',
      'UTC',
      undefined,
    ])
  })
})
