import { proxyLocalActivities, workflowInfo } from '@temporalio/workflow'
import type { OccurrenceActivities, OccurrenceInput, OccurrenceResult } from '../contract.ts'

/**
 * One time of a trigger's schedule, as Temporal's schedule of it starts it. Whether anything occurs is the registry's to say;
 * the activity is a local one, so that it waits for no place among the processes that work.
 */
export function occurrence(input: OccurrenceInput): Promise<OccurrenceResult> {
  const { occur } = proxyLocalActivities<OccurrenceActivities>({
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  })
  return occur(input, scheduledAtMs())
}

/** The time of the schedule that this is; of a workflow that was started by hand, when that was. */
function scheduledAtMs(): number {
  const { searchAttributes, startTime } = workflowInfo()
  const [scheduled] = searchAttributes.TemporalScheduledStartTime ?? []
  return (scheduled instanceof Date ? scheduled : startTime).getTime()
}
