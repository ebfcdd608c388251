import { isGrpcServiceError } from '@temporalio/client'
import { LeaseholdError, messageOf } from '../model/errors.ts'

/** How long a call may take before the server counts as unreachable. */
export const CALL_TIMEOUT_MS = 10_000

/** gRPC's CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE: the server is not there, or not now. */
const UNREACHABLE: ReadonlySet<number> = new Set([1, 4, 8, 14])

/** What a failed call to the server means to the caller, who keeps the row and may try again. */
export function temporalError(error: unknown, processId: string): unknown {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error
  if (!isGrpcServiceError(cause) || !UNREACHABLE.has(cause.code)) return error
  return new LeaseholdError(
    'temporal_unreachable',
    `The Temporal server cannot be reached (${messageOf(cause)}). Process "${processId}" stays registered and is started as soon as a worker can reach the server. Check TEMPORAL_ADDRESS, or run "leasehold dev".`,
    { processId, cause: error },
  )
}
