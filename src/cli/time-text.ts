import { LeaseholdError } from '../model/errors.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Node's timers hold no more: a longer one would fire at once. */
const LONGEST_MS = 24 * UNITS.d

/** `500ms`, `30s`, `5m`, `2h`, `1d` as milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit] = FORM.exec(text) ?? []
  const ms = amount === undefined ? undefined : Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS])
  if (ms !== undefined && ms <= LONGEST_MS) return ms
  throw new LeaseholdError(
    'usage',
    `A duration is a number and one of ms, s, m, h, d, up to 24d, as in 500ms, 30s, 5m, 2h; found ${JSON.stringify(text)}.`,
  )
}

const AGO = /^(\d+)(ms|s|m|h|d)$/
/** Without a zone a time of day would mean another moment on each machine. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/

/**
 * A moment that has passed: `2026-10-01` (in UTC), `2026-10-01T12:00:00Z`, or how long before now: `30d`. What is no
 * moment is refused at once; the clock that counts is asked later.
 */
export function parsePast(flag: string, text: string): (now: number) => number {
  const [, amount, unit] = AGO.exec(text) ?? []
  const agoMs = amount === undefined ? undefined : Number(amount) * UNITS[unit as keyof typeof UNITS]
  const refused = (problem: string) =>
    new LeaseholdError(
      'usage',
      `The time ${JSON.stringify(text)} of ${flag} ${problem}. Give a time as 2026-10-01 or 2026-10-01T12:00:00Z, or how long ago as 30d, 12h, 45m.`,
    )
  const atMs = MOMENT.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isSafeInteger(agoMs ?? atMs)) throw refused('is neither a time nor how long ago')
  return now => {
    const ms = agoMs === undefined ? atMs : now - agoMs
    if (ms > now) throw refused('lies in the future')
    return ms
  }
}

export function formatDuration(ms: number): string {
  if (ms < UNITS.s) return `${Math.round(ms)}ms`
  if (ms < UNITS.m) return `${(ms / UNITS.s).toFixed(1)}s`
  if (ms < UNITS.h) return `${(ms / UNITS.m).toFixed(1)}m`
  return ms < UNITS.d ? `${(ms / UNITS.h).toFixed(1)}h` : `${(ms / UNITS.d).toFixed(1)}d`
}

/** In UTC, so that lines of several machines can be compared. */
export const formatTime = (ms: number): string => new Date(ms).toISOString()
