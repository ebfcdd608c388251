import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { NativeConnection } from '@temporalio/worker'
import { inject } from 'vitest'
import {
  createProcessClient,
  createProcessWorker,
  defineHost,
  type Host,
  type LeaseTimings,
  type ProcessClient,
  type ProcessWorker,
  type ProcessWorkerOptions,
  type RegistrySource,
  sqliteRegistry,
} from '../../src/index.ts'
import type { WatchedRegistry } from '../../src/registry/watch.ts'
import type { EngineTable } from '../../src/runtime/host.ts'
import { borrowRegistry } from '../../src/runtime/open-registry.ts'
import type { ToolTable } from '../../src/runtime/plugin.ts'
import './quiet-runtime.ts'
import { scannedLogger } from './scan/logs.ts'
import { TEMPORAL_METADATA } from './scan/run-secrets.ts'
import { temporaryFolder } from './temporary-folder.ts'

export { scannedLogger as silentLogger }

/** One registry of the test's own, so a task queue of its own, on a Temporal server. */
export interface TemporalWorld<Engines extends EngineTable, Tools extends ToolTable> extends AsyncDisposable {
  readonly folder: string
  readonly registryPath: string
  readonly host: Host<Engines, Tools>
  readonly registry: WatchedRegistry
  readonly temporal: Client
  readonly processes: ProcessClient<Engines>
  /** A worker that runs; stopped with the world at the latest. */
  startWorker(options?: WorkerOptions): Promise<ProcessWorker>
  /** Another worker, still to be run. */
  createWorker(options?: WorkerOptions): Promise<ProcessWorker>
  /** A handle on the process's workflow. */
  workflow(id: string): ReturnType<Client['workflow']['getHandle']>
  /** Waits for the end of the process's workflow, and says how long its history is. */
  historyLength(id: string): Promise<number>
  eventTypes(id: string): Promise<readonly string[]>
}

export interface WorkerOptions extends Partial<ProcessWorkerOptions> {
  /** Where this worker finds the server. Default: where all do. */
  readonly address?: string
}

export interface WorldOptions<Engines extends EngineTable, Tools extends ToolTable> {
  readonly engines?: Engines
  readonly tools?: Tools
  /** What else the host module says. */
  readonly host?: Partial<Host>
  readonly leaseTimings?: LeaseTimings
  /** Default: the server that all tests share. */
  readonly address?: string
  /** Default: a folder of its own. */
  readonly folder?: string
  /** Default: in SQLite, in the folder. */
  readonly source?: RegistrySource
  /** Of client and workers. Default: Temporal's. */
  readonly dataConverter?: DataConverter
}

export async function openWorld<Engines extends EngineTable, Tools extends ToolTable>(
  options: WorldOptions<Engines, Tools>,
): Promise<TemporalWorld<Engines, Tools>> {
  const { engines, tools, leaseTimings, address = inject('temporalAddress') } = options
  const folder = options.folder ?? (await temporaryFolder())
  const registryPath = join(folder, 'leasehold.db')
  const host = defineHost<Engines, Tools>({
    registry: options.source ?? sqliteRegistry({ path: registryPath }),
    ...(engines === undefined ? {} : { engines }),
    ...(tools === undefined ? {} : { tools }),
    ...moreOf(options.host),
  })
  const timings = leaseTimings === undefined ? {} : { leaseTimings }
  const converter = options.dataConverter === undefined ? {} : { dataConverter: options.dataConverter }
  const clientConnection = await Connection.connect({ address, metadata: TEMPORAL_METADATA })
  const temporal = new Client({ connection: clientConnection, ...converter })
  const { registry, release } = await borrowRegistry(host.registry)
  const processes = createProcessClient({ host, temporal, ...timings })
  const workers: { readonly worker: ProcessWorker; readonly connection: NativeConnection }[] = []

  const createWorker = async ({ address: own = address, ...more }: WorkerOptions = {}) => {
    // The SDK takes one worker of a task queue for each connection.
    const connection = await NativeConnection.connect({ address: own, metadata: TEMPORAL_METADATA })
    const options = { connection, logger: scannedLogger, ...timings, ...converter, ...more }
    const worker = await createProcessWorker(host, options).catch(async error => {
      await connection.close()
      throw error
    })
    workers.push({ worker, connection })
    return worker
  }

  return {
    folder,
    registryPath,
    host,
    registry,
    temporal,
    processes,
    createWorker,
    startWorker: async more => {
      const worker = await createWorker(more)
      // Its failure is the test's: an unhandled rejection fails the run.
      worker.run()
      return worker
    },
    workflow: id => temporal.workflow.getHandle(id),
    historyLength: async id => {
      const handle = temporal.workflow.getHandle(id)
      await handle.result()
      return (await handle.describe()).historyLength
    },
    eventTypes: async id => (await registry.eventsAfter(id, 0)).map(event => event.eventType),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map(({ worker }) => stopWithin(worker)))
      await Promise.all(workers.map(({ connection }) => connection.close()))
      await processes[Symbol.asyncDispose]()
      await release()
      await clientConnection.close()
    },
  }
}

/** Engines and tools have options of their own, with their types. */
const moreOf = ({ engines: _, tools: __, ...more }: Partial<Host> = {}) => more

/** A worker that does not stop fails the test that started it. */
async function stopWithin(worker: ProcessWorker): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`worker ${worker.id} leaked: it does not stop`)),
    30_000,
  )
  try {
    await Promise.race([worker.stop(), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
