import { Cron, CronPattern } from 'croner'
import { isLeaseholdError } from '../../model/errors.ts'
import { parseSchedule, type Schedule } from './schedule.ts'

/** Times of the wall clock: those at which every field has one of its values. */
export interface Calendar {
  readonly second: readonly number[]
  readonly minute: readonly number[]
  readonly hour: readonly number[]
  /** From 1. */
  readonly dayOfMonth: readonly number[]
  /** From 1. */
  readonly month: readonly number[]
  /** From 0, a Sunday. */
  readonly dayOfWeek: readonly number[]
  /** Absent: all. */
  readonly years?: 'leap' | 'common'
}

/**
 * The schedule as calendars, of which a time must be in one. They say the same as the expression, `L`, `#` and `W` among
 * it, but near clock changes: see `isOnCalendar`. Throws `trigger_invalid`.
 */
export function calendarsOf(schedule: Schedule): readonly Calendar[] {
  parseSchedule(schedule)
  // The days of a month are the same everywhere, and by far the soonest told where there is no zone to look at.
  const cron = new Cron(schedule.cron, { utcOffset: 0, paused: true })
  const { second, minute, hour, month } = new CronPattern(schedule.cron)
  const times = { second: valuesOf(second), minute: valuesOf(minute), hour: valuesOf(hour) }
  const clock = [times.hour[0] ?? 0, times.minute[0] ?? 0, times.second[0] ?? 0] as const
  return groupsOf(valuesOf(month, 1)).flatMap(({ days, ...which }) =>
    [...byWeekdays(days)].map(([weekdays, dayOfMonth]) => ({
      ...times,
      ...which,
      dayOfMonth,
      dayOfWeek: EVERY_WEEKDAY.filter(weekday => weekdays & (1 << weekday)),
    })),
  )

  function groupsOf(months: readonly number[]): (Which & { readonly days: DayTable })[] {
    const groups = LENGTHS.map(({ isOf, year, ...years }) => {
      const own = months.filter(isOf)
      return { ...years, month: own, days: own[0] === undefined ? [] : dayTable(cron, own[0], year, clock) }
    }).filter(group => group.month.length > 0)
    const [longest] = groups
    const isOne = groups.every(({ days }) => days.every((weekdays, day) => weekdays === longest?.days[day]))
    return isOne && longest !== undefined ? [{ month: months, days: longest.days }] : groups
  }
}

/** Clock changes are of an hour or less, all but a few. */
const NEAR_MS = 3 * 3_600_000

/**
 * Whether a backend's calendars can be relied upon for this time of the schedule. Not near a clock change: what falls into an
 * hour that is left out comes right after it, and what falls into one that comes twice does so once unless the expression is
 * of every hour, minute or second; a backend's calendars mean something else there.
 */
export function isOnCalendar(schedule: Schedule, atMs: number): boolean {
  if (!isKeptByBackend(schedule)) return false
  const zone = new Intl.DateTimeFormat('en', { timeZone: schedule.timeZone, timeZoneName: 'longOffset' })
  const offset = (ms: number) => zone.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value
  return offset(atMs - NEAR_MS) === offset(atMs + NEAR_MS)
}

/** Whether a backend can keep it: not one that this Node cannot read, nor one in a zone that is only an offset. */
export function isKeptByBackend(schedule: Schedule): boolean {
  try {
    parseSchedule(schedule)
  } catch (error) {
    if (isLeaseholdError(error, 'trigger_invalid')) return false
    throw error
  }
  return zoneNameOf(schedule) !== undefined
}

/** The zone's name in the IANA database, as that writes it; absent for an offset such as `+02:00`, which it does not have. */
export function zoneNameOf({ timeZone }: Schedule): string | undefined {
  const name = new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  return /^[+-]/.test(name) ? undefined : name
}

type Which = Pick<Calendar, 'month' | 'years'>

/** Of each day of a month, from 0, the weekdays on which it counts, a bit for each. */
type DayTable = readonly number[]

const EVERY_WEEKDAY = [0, 1, 2, 3, 4, 5, 6]
const has31 = (month: number): boolean => [1, 3, 5, 7, 8, 10, 12].includes(month)

/** Months by their length, the longest first: whether a day counts may follow from that, but from no more. */
const LENGTHS = [
  { isOf: has31, year: 2001 },
  { isOf: (month: number) => month !== 2 && !has31(month), year: 2001 },
  { isOf: (month: number) => month === 2, year: 2000, years: 'leap' },
  { isOf: (month: number) => month === 2, year: 2001, years: 'common' },
] as const

/** Asked of the reader of the expression itself, for a month that begins on each of the weekdays. */
function dayTable(
  cron: Cron,
  month: number,
  firstYear: number,
  [hour, minute, second]: readonly [number, number, number],
): DayTable {
  const length = new Date(Date.UTC(firstYear, month, 0)).getUTCDate()
  const table = Array.from({ length }, () => 0)
  const begun = new Set<number>()
  // Within 28 years a month, of leap years too, begins on each weekday.
  for (let year = firstYear; begun.size < EVERY_WEEKDAY.length; year++) {
    const begins = new Date(Date.UTC(year, month - 1, 1)).getUTCDay()
    if (begun.has(begins) || new Date(Date.UTC(year, month, 0)).getUTCDate() !== length) continue
    begun.add(begins)
    for (const day of table.keys()) {
      const time = new Date(Date.UTC(year, month - 1, day + 1, hour, minute, second))
      if (cron.match(time)) table[day] = (table[day] ?? 0) | (1 << time.getUTCDay())
    }
  }
  return table
}

function byWeekdays(days: DayTable): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>()
  for (const [day, weekdays] of days.entries()) {
    if (weekdays !== 0) groups.set(weekdays, [...(groups.get(weekdays) ?? []), day + 1])
  }
  return groups
}

const valuesOf = (flags: readonly number[], first = 0): number[] =>
  [...flags.keys()].filter(index => flags[index]).map(index => index + first)
