import { onTestFinished } from 'vitest'
import { parseRegistryAddress } from '../../src/cli/registry-address.ts'
import {
  createInlineWorker,
  createProcessClient,
  defineHost,
  type InlineWorker,
  type InlineWorkerOptions,
  type ProcessClient,
} from '../../src/index.ts'
import type { WatchedRegistry } from '../../src/registry/watch.ts'
import type { EngineTable } from '../../src/runtime/host.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import { borrowSchema, postgresAddress } from '../registry/postgres-fixtures.ts'
import { temporaryPath } from '../registry/store-fixtures.ts'
import { scannedLogger } from '../support/scan/logs.ts'

/** The stores that an inline worker may stand on, each with the address of a new registry in it. */
export const REGISTRIES = [
  { name: 'SQLite', newAddress: async () => `sqlite:${await temporaryPath()}` },
  { name: 'PostgreSQL', newAddress: async () => postgresAddress(borrowSchema()) },
]

/** One registry, a client, and workers of this OS process. */
export interface InlineWorld<Engines extends EngineTable> {
  readonly registry: WatchedRegistry
  readonly processes: ProcessClient<Engines>
  /** A worker that takes work; stopped with the test at the latest. */
  startWorker(options?: InlineWorkerOptions): Promise<InlineWorker>
}

/** All that has the same host module shares one opened registry; another call opens it again, as another OS process would. */
export async function openInline<Engines extends EngineTable>(
  address: string,
  engines: Engines,
): Promise<InlineWorld<Engines>> {
  const host = defineHost({ registry: parseRegistryAddress(address), engines })
  const { registry, release } = await borrowRegistry(host.registry)
  onTestFinished(release)
  const processes = createProcessClient({ host })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  return {
    registry,
    processes,
    startWorker: async options => {
      const worker = createInlineWorker(host, { logger: scannedLogger, shutdownGraceMs: 0, ...options })
      onTestFinished(async () => void (await worker.stop()))
      await worker.ready
      return worker
    },
  }
}
