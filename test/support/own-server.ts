import { onTestFinished } from 'vitest'
import { startDevServer } from '../../src/dev-server/index.ts'
import { scanHistories } from './scan/histories.ts'
import { refuseFindings } from './scan/run-secrets.ts'
import { temporalCacheDir, temporalCliPath } from './temporal-cli.ts'

/** A dev server of the test's own, to be killed: never the one that `TEMPORAL_ADDRESS` names. */
export interface OwnServer {
  readonly address: string
  /** SIGKILL: what it held in memory is gone. */
  kill(): Promise<void>
}

/** With `port`, on that port, where nobody listens now. `extraArgs`: further ones of the server. */
export async function startOwnServer(port?: number, extraArgs: readonly string[] = []): Promise<OwnServer> {
  const server = await startDevServer({
    env: { TEMPORAL_CLI_PATH: await temporalCliPath() },
    cacheDir: temporalCacheDir,
    preferredPort: port ?? 0,
    extraArgs,
  })
  onTestFinished(async () => {
    // One that the test has killed has taken its histories along.
    const scanned = await scanHistories(server.address).catch(() => undefined)
    await server.stop()
    refuseFindings('histories of Temporal', scanned?.findings ?? [])
  })
  if (port !== undefined && portOf(server.address) !== port) {
    throw new Error(`port ${port} was taken meanwhile; the server is at ${server.address}`)
  }
  return {
    address: server.address,
    kill: async () => {
      if (server.pid === undefined) throw new Error('the server was not started here')
      process.kill(server.pid, 'SIGKILL')
      await server.exited
    },
  }
}

export const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))
