import type { ConnectionLike } from '@temporalio/client'
import { isDenied, requireFrontend } from '../dev-server/frontend.ts'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { TemporalSettings } from './temporal-settings.ts'

/** Long for a server that is there, short for somebody who waits to hear that it is not. */
const ANSWER_WITHIN_MS = 5_000

/** Throws `temporal_unreachable` if no server answers, `temporal_access_denied` if it lets nobody in with these keys. */
export async function requireTemporal({ address, access }: TemporalSettings): Promise<void> {
  try {
    await requireFrontend(address, ANSWER_WITHIN_MS, access)
  } catch (cause) {
    if (isDenied(cause)) {
      throw new LeaseholdError(
        'temporal_access_denied',
        `The Temporal server at ${address} does not let this program in (${messageOf(cause)}). Correct TEMPORAL_API_KEY, or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or the profile that holds them.`,
        { cause, details: { address } },
      )
    }
    throw new LeaseholdError(
      'temporal_unreachable',
      `No Temporal server answers at ${address} (${reasonOf(cause)}). Start one with "leasehold dev", or correct TEMPORAL_ADDRESS (host:port).`,
      { cause, details: { address } },
    )
  }
}

export const answers = (settings: TemporalSettings): Promise<boolean> =>
  requireTemporal(settings).then(
    () => true,
    () => false,
  )

/** gRPC wraps the one thing of interest: "No connection established. Last error: Error: connect ECONNREFUSED …". */
function reasonOf(error: unknown): string {
  const message = messageOf(error)
  const [, last] = /Last error: (?:Error: )?(.*?)\.? Resolution note:/.exec(message) ?? []
  return last ?? message
}

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5

/** Throws `temporal_namespace_unknown` if the server has no such namespace. */
export async function requireNamespace(
  connection: ConnectionLike,
  { address, namespace }: Pick<TemporalSettings, 'address' | 'namespace'>,
): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === NOT_FOUND)) throw cause
    throw new LeaseholdError(
      'temporal_namespace_unknown',
      `The Temporal server at ${address} has no namespace "${namespace}". Correct TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace ${namespace}`,
      { cause, details: { address, namespace } },
    )
  }
}
