import { isGrpcServiceError } from '@temporalio/client'
import { NamespaceNotFoundError } from '@temporalio/common'
import { LeaseholdError, messageOf } from '../model/errors.ts'

/** How long a call may take before the server counts as unreachable. */
export const CALL_TIMEOUT_MS = 10_000

/** gRPC's CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE: the server is not there, or not now. */
const UNREACHABLE: ReadonlySet<number> = new Set([1, 4, 8, 14])
/** gRPC's PERMISSION_DENIED and UNAUTHENTICATED. */
const DENIED: ReadonlySet<number> = new Set([7, 16])

/** What a failed call to the server means to the caller, who keeps the row and may try again. */
export const temporalError = (error: unknown, processId: string): unknown =>
  serverError(error, {
    waits: `Process "${processId}" stays registered and is started`,
    details: { processId },
  })

/** The same for a call about schedules. */
export const scheduleError = (error: unknown): unknown =>
  serverError(error, {
    waits: 'Triggers stay in the registry, and their schedules are put there',
    details: {},
  })

/** What stays as it is, and happens later. */
interface Concerned {
  readonly waits: string
  readonly details: { readonly processId?: string }
}

function serverError(error: unknown, concerned: Concerned): unknown {
  if (error instanceof NamespaceNotFoundError) return noNamespace(error, concerned)
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error
  if (!isGrpcServiceError(cause)) return error
  if (UNREACHABLE.has(cause.code)) return unreachable(cause, concerned)
  return DENIED.has(cause.code) ? denied(cause, concerned) : error
}

const unreachable = (cause: Error, { waits, details }: Concerned): LeaseholdError =>
  new LeaseholdError(
    'temporal_unreachable',
    `The Temporal server cannot be reached (${messageOf(cause)}). ${waits} as soon as a worker can reach the server. Check TEMPORAL_ADDRESS, or run "leasehold dev".`,
    { ...details, cause },
  )

const denied = (cause: Error, { waits, details }: Concerned): LeaseholdError =>
  new LeaseholdError(
    'temporal_access_denied',
    `The Temporal server does not let this client in (${messageOf(cause)}). ${waits} as soon as a worker is let in. Check the client's API key or certificate, and what they may do in its namespace.`,
    { ...details, cause },
  )

const noNamespace = (cause: NamespaceNotFoundError, { waits, details }: Concerned): LeaseholdError =>
  new LeaseholdError(
    'temporal_namespace_unknown',
    `The Temporal server has no namespace "${cause.namespace}". ${waits} by a worker of the right one. Correct the client's namespace (TEMPORAL_NAMESPACE), or make it: temporal operator namespace create --namespace ${cause.namespace}`,
    { ...details, cause, details: { namespace: cause.namespace } },
  )
