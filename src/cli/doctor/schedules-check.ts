import { createTemporalSchedules, type TemporalSchedulesOptions } from '../../client/temporal-schedules.ts'
import { messageOf } from '../../model/errors.ts'
import { planSchedules } from '../../model/schedule-plan.ts'
import type { Trigger } from '../../model/trigger.ts'
import { isKeptByBackend } from '../../runtime/triggers/calendar.ts'
import { type Check, ok, warn } from './check.ts'

/** So many are named. */
const NAMED = 5

/** Are the schedules at the server those of the registry's triggers? Nothing is said where there are neither. */
export async function checkSchedules(
  triggers: readonly Trigger[],
  options: TemporalSchedulesOptions,
): Promise<readonly Check[]> {
  const { list, noteOf } = createTemporalSchedules(options)
  const kept = triggers.filter(({ source }) => source.type === 'schedule' && isKeptByBackend(source))
  try {
    const found = await list()
    if (kept.length + found.length === 0) return []
    const there = new Map(found.map(one => [one.triggerId, one]))
    const { put, remove } = planSchedules(kept, there, noteOf)
    if (put.length + remove.length === 0)
      return [ok('schedules', `${kept.length}, as the triggers of the registry are`)]
    const wrong = [
      ...differing(
        'not as its trigger is',
        put.map(({ triggerId }) => triggerId),
      ),
      ...differing('of no trigger', remove),
    ]
    return [
      warn(
        'schedules',
        wrong.join('; '),
        'A worker puts them right within ten seconds, and its log says why not; triggers occur all the same.',
      ),
    ]
  } catch (error) {
    return [warn('schedules', `they could not be looked at: ${messageOf(error)}`)]
  }
}

function differing(what: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  const named = ids.slice(0, NAMED).map(id => JSON.stringify(id))
  return [`${what}: ${named.join(', ')}${ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''}`]
}
