/* One worker without a server, as a process of its own: `agent-worker <data folder> <host module>`. */
import { createInlineWorker, type Host } from '../../src/index.ts'
import { serveOwner } from './worker-channel.ts'

/** What the module of an example's host has. */
export interface HostModule {
  createHost(dataDir: string): Host | Promise<Host>
}

const [dataDir = '', module = ''] = process.argv.slice(2)

await serveOwner(async logger => {
  const { createHost }: HostModule = await import(module)
  const worker = createInlineWorker(await createHost(dataDir), { logger, shutdownGraceMs: 0 })
  await worker.ready
  return worker
})
