import { Cron } from 'croner'
import { LeaseholdError, messageOf } from '../../model/errors.ts'
import type { TriggerSource } from '../../model/trigger.ts'

export type Schedule = Extract<TriggerSource, { readonly type: 'schedule' }>

/**
 * The next time of the schedule after this one, in milliseconds since the epoch; `undefined`: it has none any more. By the
 * wall clock of its time zone: an hour that a clock change leaves out is made up for after it, one that comes twice counts
 * once. Throws `trigger_invalid`.
 */
export function nextOccurrence(schedule: Schedule, afterMs: number): number | undefined {
  return parseSchedule(schedule).nextRun(new Date(afterMs))?.getTime()
}

/** Throws `trigger_invalid` for what is no schedule, or one that never comes. */
export function requireSchedule(schedule: Schedule, now: number): number {
  const next = nextOccurrence(schedule, now)
  if (next !== undefined) return next
  throw invalid(`The schedule "${schedule.cron}" never occurs again. Check its day and month.`)
}

/** Throws `trigger_invalid` for what is no schedule. */
export function parseSchedule({ cron, timeZone }: Schedule): Cron {
  requireTimeZone(timeZone)
  const fields = cron.trim().split(/\s+/).length
  const isNickname = cron.trim().startsWith('@')
  if (!isNickname && fields !== 5 && fields !== 6) {
    throw invalid(
      `A schedule has five fields (minute, hour, day of the month, month, day of the week), or six with seconds before them; found ${fields} in ${JSON.stringify(cron)}.`,
    )
  }
  try {
    return new Cron(cron, { timezone: timeZone, paused: true })
  } catch (cause) {
    throw invalid(`The schedule ${JSON.stringify(cron)} cannot be read: ${messageOf(cause)}`, cause)
  }
}

function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw invalid(
      `There is no time zone ${JSON.stringify(timeZone)}. Name one of the IANA database, such as "Europe/Berlin" or "UTC".`,
      cause,
    )
  }
}

const invalid = (message: string, cause?: unknown): LeaseholdError =>
  new LeaseholdError('trigger_invalid', message, cause === undefined ? {} : { cause })
