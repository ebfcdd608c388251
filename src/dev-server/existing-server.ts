import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { DevServer, DevServerExit } from './dev-server.ts'
import { type FrontendAccess, isDenied, requireFrontend } from './frontend.ts'

const ANSWER_WITHIN_MS = 5_000

/** The server that `TEMPORAL_ADDRESS` names, once it has answered. It belongs to somebody else: `stop` leaves it. */
export async function useExistingServer(address: string, access: FrontendAccess = {}): Promise<DevServer> {
  try {
    await requireFrontend(address, ANSWER_WITHIN_MS, access)
  } catch (cause) {
    if (isDenied(cause)) {
      throw new LeaseholdError(
        'temporal_access_denied',
        `TEMPORAL_ADDRESS is "${address}", and the server there does not let this program in (${messageOf(cause)}). ` +
          'Correct its API key or certificate, or unset TEMPORAL_ADDRESS to have a dev server started.',
        { cause, details: { address } },
      )
    }
    throw new LeaseholdError(
      'temporal_unreachable',
      `TEMPORAL_ADDRESS is "${address}", but no Temporal server answers there ${access.tls ? 'with' : 'without'} TLS (${messageOf(cause)}). ` +
        'Start that server or correct the address (host:port), or unset TEMPORAL_ADDRESS to have a dev server started.',
      { cause, details: { address } },
    )
  }
  const { promise: exited, resolve } = Promise.withResolvers<DevServerExit>()
  const stop = async () => resolve({ expected: true, code: null, stderr: '' })
  return { address, source: 'TEMPORAL_ADDRESS', exited, stop, [Symbol.asyncDispose]: stop }
}
