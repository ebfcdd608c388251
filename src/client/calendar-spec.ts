import { type CalendarSpec, DAYS_OF_WEEK, MONTHS } from '@temporalio/client'
import type { Calendar } from '../runtime/triggers/calendar.ts'

/** The calendar as Temporal writes it. */
export function calendarSpecOf({ years, ...calendar }: Calendar): CalendarSpec {
  return {
    second: rangesOf(calendar.second),
    minute: rangesOf(calendar.minute),
    hour: rangesOf(calendar.hour),
    dayOfMonth: rangesOf(calendar.dayOfMonth),
    month: named(
      MONTHS,
      calendar.month.map(month => month - 1),
    ),
    dayOfWeek: named(DAYS_OF_WEEK, calendar.dayOfWeek),
    ...(years === undefined ? {} : { year: YEARS[years] }),
  }
}

/** To the last year that Temporal's calendars know. */
const YEARS = {
  leap: [{ start: 2024, end: 2096, step: 4 }],
  common: [...[2025, 2026, 2027].map(start => ({ start, end: 2099, step: 4 })), { start: 2100, end: 2100 }],
}

interface Run {
  readonly start: number
  end: number
}

/** Values in their order, those that follow on each other as one range: so people can read them. */
function rangesOf(values: readonly number[]): Run[] {
  const runs: Run[] = []
  for (const value of values) {
    const last = runs.at(-1)
    if (last?.end === value - 1) last.end = value
    else runs.push({ start: value, end: value })
  }
  return runs
}

const named = <Name>(names: readonly Name[], indices: readonly number[]) =>
  rangesOf(indices).flatMap(({ start, end }) => {
    const [first, last] = [names[start], names[end]]
    return first === undefined || last === undefined ? [] : [{ start: first, end: last }]
  })
