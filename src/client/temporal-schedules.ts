import { createHash } from 'node:crypto'
import {
  type CalendarSpec,
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import { ValueError } from '@temporalio/common'
import {
  OCCURRENCE_WORKFLOW_TYPE,
  type OccurrenceInput,
  REGISTRY_MEMO,
  schedulePrefix,
  TRIGGER_MEMO,
} from '../contract.ts'
import type { ScheduleBackend } from '../maintenance/schedule-keeper.ts'
import { canonicalJson } from '../model/json.ts'
import type { FoundSchedule } from '../model/schedule-plan.ts'
import type { Trigger } from '../model/trigger.ts'
import { calendarsOf, zoneNameOf } from '../runtime/triggers/calendar.ts'
import type { Schedule } from '../runtime/triggers/schedule.ts'
import { calendarSpecOf } from './calendar-spec.ts'
import { CALL_TIMEOUT_MS, scheduleError } from './temporal-errors.ts'

/** Part of each note: what is written differently from here on is written anew. */
const FORMAT = 1
const PAGE = 500
/** As long as the server has it by default. */
const LONGEST_CATCH_UP = '365 days'

export interface TemporalSchedulesOptions {
  readonly client: Client
  readonly registryId: string
  /** Where what they start is worked on. */
  readonly taskQueue: string
}

/** The registry's triggers as schedules of Temporal's, one for each, under the trigger's own id. */
export function createTemporalSchedules(options: TemporalSchedulesOptions): ScheduleBackend {
  const { client, registryId, taskQueue } = options
  const prefix = schedulePrefix(registryId)
  const { schedule, workflowService } = client

  /** A memo cannot be changed and is not always readable, so the note has to tell one revision from the next. */
  const noteOf = ({ triggerId, incarnation, revision, source, start }: Trigger): string => {
    const mark = digest([FORMAT, incarnation, revision, taskQueue])
    return `${sourceText(source)} starts ${start.kind}. Trigger "${triggerId}", revision ${revision}; change it there, not here. [${mark}]`
  }

  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, work)
    } catch (error) {
      throw scheduleError(error)
    }
  }

  const list = async (): Promise<FoundSchedule[]> => {
    const found: FoundSchedule[] = []
    let nextPageToken: Uint8Array | undefined
    do {
      // Not by the SDK's own iterator: that decodes memos, which another data converter may have written.
      const page = await workflowService.listSchedules({
        namespace: client.options.namespace,
        maximumPageSize: PAGE,
        query: `ScheduleId STARTS_WITH "${prefix}"`,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      })
      for (const { scheduleId, info } of page.schedules ?? []) {
        if (!scheduleId?.startsWith(prefix)) continue
        const triggerId = scheduleId.slice(prefix.length)
        found.push({ triggerId, note: info?.notes ?? '', isPaused: info?.paused ?? false })
      }
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
    } while (nextPageToken !== undefined)
    return found
  }

  const optionsOf = (trigger: Trigger, source: Schedule) => {
    const { triggerId, incarnation, revision, isPaused } = trigger
    const memo = { [REGISTRY_MEMO]: registryId, [TRIGGER_MEMO]: triggerId }
    const input: OccurrenceInput = { registryId, triggerId, incarnation, revision }
    return {
      spec: { calendars: specsOf(source), timezone: zoneNameOf(source) ?? source.timeZone },
      action: {
        type: 'startWorkflow' as const,
        workflowType: OCCURRENCE_WORKFLOW_TYPE,
        // The server adds the time that it stands for.
        workflowId: prefix + triggerId,
        taskQueue,
        args: [input],
        memo,
        workflowTaskTimeout: '10s' as const,
      },
      policies: {
        // One that waits for a worker stands for all that come meanwhile: the row has them occur once.
        overlap: ScheduleOverlapPolicy.BUFFER_ONE,
        catchupWindow: source.catchUpMs ?? LONGEST_CATCH_UP,
      },
      state: { note: noteOf(trigger), paused: isPaused },
      memo,
    }
  }

  const remove = async (triggerId: string): Promise<void> => {
    try {
      await schedule.getHandle(prefix + triggerId).delete()
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error
    }
  }

  const put = async (trigger: Trigger): Promise<void> => {
    const { source, triggerId } = trigger
    if (source.type !== 'schedule') return
    const scheduleId = prefix + triggerId
    const { memo, ...wanted } = optionsOf(trigger, source)
    try {
      return await schedule.getHandle(scheduleId).update(() => wanted)
    } catch (error) {
      // The SDK reads before it writes. What another data converter wrote can only be made anew.
      if (error instanceof ValueError) await remove(triggerId)
      else if (!(error instanceof ScheduleNotFoundError)) throw error
    }
    await schedule.create({ scheduleId, memo, ...wanted }).catch(unlessThere)
  }

  return {
    noteOf,
    list: () => call(list),
    put: trigger => call(() => put(trigger)),
    remove: triggerId => call(() => remove(triggerId)),
  }
}

/** Another worker was first; if it made something else of it, the next look will find that. */
function unlessThere(error: unknown): void {
  if (!(error instanceof ScheduleAlreadyRunning)) throw error
}

const specsOf = (source: Schedule): CalendarSpec[] =>
  calendarsOf(source).map(calendar => ({ ...calendarSpecOf(calendar), comment: source.cron }))

const sourceText = (source: Trigger['source']): string =>
  source.type === 'schedule' ? `${source.cron} (${source.timeZone})` : source.name

const digest = (value: Parameters<typeof canonicalJson>[0]): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12)
