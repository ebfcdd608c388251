import { randomUUID } from 'node:crypto'
import type { DeferReason, DrainReport } from '../model/drain.ts'
import { isLeaseholdError, messageOf } from '../model/errors.ts'
import type { ProcessId } from '../model/ids.ts'
import type { DrainTally } from './drain-tally.ts'
import type { ExecutionEnvironment } from './environment.ts'

/**
 * The last thing that a worker does: ends, as abandoned(owner_drain), those of the owner-bound processes that began here
 * which have no outcome, because nobody else will ever be able to tell of them. Call it when nothing runs any more; what
 * somebody still holds is deferred. One that fails does not keep the others from being ended.
 */
export async function drainOwnerBound(
  environment: ExecutionEnvironment,
  ids: readonly ProcessId[],
  tally: DrainTally,
): Promise<DrainReport> {
  for (const id of ids.toSorted()) {
    const fate = await drainOne(environment, id)
    if (fate !== 'not_mine') tally.settle(id, fate)
  }
  const report = tally.report()
  const { abandoned, deferred } = report
  if (abandoned.length > 0 || deferred.length > 0) {
    environment.logger.warn('the worker stopped before these processes had ended', { abandoned, deferred })
  }
  return report
}

async function drainOne(
  { registry, worker, timings, logger }: ExecutionEnvironment,
  id: ProcessId,
): Promise<'abandoned' | 'not_mine' | DeferReason> {
  try {
    const answer = await registry.beginDrain(id, { worker, attempt: randomUUID(), ttlMs: timings.ttlMs })
    if (answer.type !== 'settle') return answer.type === 'deferred' ? answer.reason : answer.type
    await registry.completeWithLease(answer.lease, answer.outcome)
    return 'abandoned'
  } catch (error) {
    if (isLeaseholdError(error, 'process_lease_lost')) return 'lease_lost'
    if (isLeaseholdError(error, 'process_already_terminal')) return 'settled_by_peer'
    logger.warn('an owner-bound process could not be drained; a proof of death will end it', {
      processId: id,
      error: messageOf(error),
    })
    return 'backend_error'
  }
}
