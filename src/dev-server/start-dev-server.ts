import { isLeaseholdError } from '../model/errors.ts'
import type { DevServer, DevServerOptions } from './dev-server.ts'
import { useExistingServer } from './existing-server.ts'
import { findTemporalServer } from './find-temporal-server.ts'
import { findFreePorts } from './free-ports.ts'
import { launchServer } from './launch-server.ts'
import type { ServerPorts } from './server-arguments.ts'

/** Ports are lost to others between the look and the use; each attempt takes about a second. */
const ATTEMPTS = 5

/**
 * Gives a Temporal server that answers: the one at `TEMPORAL_ADDRESS`, or a dev server on loopback, tuned for short
 * latency and stopped with its owner. `options.signal` ends the start; a server that runs is ended by `stop()`.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { env, signal, ui = false, preferredPort = 7233, preferredUiPort = 8233 } = options
  signal?.throwIfAborted()
  if (env.TEMPORAL_ADDRESS) return useExistingServer(env.TEMPORAL_ADDRESS, options.access)

  const binary = await findTemporalServer(options)
  for (let attempt = 1; ; attempt += 1) {
    // A port that was free to look at and then refused may be so again (reserved, or a race with a twin): any will do.
    const ports =
      attempt === 1 ? await choosePorts(preferredPort, preferredUiPort, ui) : await choosePorts(0, 0, ui)
    try {
      return await launchServer(binary, ports, options)
    } catch (error) {
      const portTaken = isLeaseholdError(error, 'temporal_server_failed') && error.details.portTaken === true
      if (!portTaken || attempt === ATTEMPTS) throw error
    }
  }
}

async function choosePorts(frontend: number, uiPort: number, withUi: boolean): Promise<ServerPorts> {
  const [chosen = frontend, ui] = await findFreePorts(withUi ? [frontend, uiPort] : [frontend])
  return ui === undefined ? { frontend: chosen } : { frontend: chosen, ui }
}
