import type { OccurrenceActivities, OccurrenceResult } from '../contract.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { type FiredAnswer, occurFired } from '../execution/occur-schedule.ts'
import { LeaseholdError } from '../model/errors.ts'
import { translated } from './failures.ts'

/** Temporal's schedule in, the registry's occurrence out. */
export function createOccurrenceActivities(environment: ExecutionEnvironment): OccurrenceActivities {
  const { registry, logger } = environment
  return {
    occur: ({ registryId, ...made }, scheduledAtMs) =>
      translated(async () => {
        const { triggerId } = made
        if (registryId !== registry.registryId)
          throw new LeaseholdError(
            'registry_mismatch',
            `Trigger "${triggerId}" belongs to registry ${registryId}; this worker serves ${registry.registryId}. Give each registry its own task queue.`,
            { details: { triggerId, registryId, served: registry.registryId } },
          )
        const answer = await occurFired(environment, { ...made, scheduledAtMs })
        if (answer.type === 'stale')
          logger.info('a schedule of Temporal fired for what its trigger is no longer', { triggerId })
        if (answer.type === 'occurred' && answer.report.reason !== undefined)
          logger.warn('a trigger could not start its process; trying again later', { ...answer.report })
        return resultOf(answer)
      }),
  }
}

function resultOf(answer: FiredAnswer): OccurrenceResult {
  if (answer.type !== 'occurred') return { status: answer.type }
  const { processId, reason } = answer.report
  return { status: 'occurred', processId, ...(reason === undefined ? {} : { reason }) }
}
