import { ApplicationFailure } from '@temporalio/common'
import { type ErrorCode, isLeaseholdError, isTransient, messageOf } from '../model/errors.ts'

/**
 * The one table between our codes and Temporal's failures. A process that fails is a returned outcome, so whatever is
 * thrown here is about infrastructure: it is retried, unless the code says that trying again cannot help.
 */
const NOT_RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'missing_process_execution_id',
  'process_unknown',
  'process_no_longer_retained',
])

export function toApplicationFailure(error: unknown, retryInMs?: number): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error
  const type = isLeaseholdError(error) ? error.code : 'internal'
  return ApplicationFailure.create({
    type,
    message: messageOf(error),
    ...(retryInMs === undefined ? {} : { nextRetryDelay: Math.max(1, retryInMs) }),
    nonRetryable: isLeaseholdError(error) && !isTransient(error) && NOT_RETRYABLE.has(error.code),
  })
}

/** The attempt is not this worker's any more, or not yet: come again after a while. */
export const tryAgain = (type: ErrorCode, message: string, afterMs: number): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nextRetryDelay: Math.max(1, Math.ceil(afterMs)) })

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toApplicationFailure(error)
  }
}
