import type { NativeConnection } from '@temporalio/worker'
import type { WorkerDeployment } from '../activities/worker-versioning.ts'
import type { Host } from '../runtime/host.ts'
import type { Logger } from '../runtime/logger.ts'
import { watchServer } from './server-watch.ts'
import { untilPolling } from './task-queue-pollers.ts'
import { requireNamespace, requireTemporal } from './temporal-server.ts'
import type { TemporalSettings } from './temporal-settings.ts'
import { loadWorkerPackage } from './worker-package.ts'

export interface WorkerSettings {
  readonly temporal: TemporalSettings
  readonly taskQueue?: string
  readonly deployment?: WorkerDeployment
  readonly cacheDir: string
  readonly logger: Logger
  /** Fires when the start is no longer wanted; what was started by then is stopped. */
  readonly signal: AbortSignal
}

/** A worker that polls. */
export interface RunningWorker {
  readonly id: string
  readonly registryId: string
  readonly taskQueue: string
  /** Settles when the worker ends by itself, which it does only when it must. */
  readonly ended: Promise<void>
  /** Drains: takes no more work, gives what runs its grace, then hands it back. */
  stop(): Promise<void>
}

/** Starts one worker and resolves once the server sees it poll. */
export async function startWorker(host: Host, settings: WorkerSettings): Promise<RunningWorker> {
  const { temporal, signal, logger } = settings
  await requireTemporal(temporal)
  signal.throwIfAborted()
  const { NativeConnection } = await loadWorkerPackage(logger)
  const connection = await NativeConnection.connect({ ...temporal.access, address: temporal.address })
  try {
    await requireNamespace(connection, temporal)
    signal.throwIfAborted()
    return await startOn(connection, host, settings)
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function startOn(
  connection: NativeConnection,
  host: Host,
  { temporal, signal, logger, ...options }: WorkerSettings,
): Promise<RunningWorker> {
  const { createProcessWorker } = await import('../worker.ts')
  const { namespace, dataConverter } = temporal
  const worker = await createProcessWorker(host, {
    connection,
    namespace,
    logger,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...options,
  })
  const { id, registryId, taskQueue } = worker
  if (signal.aborted) await worker.stop()
  const ended = worker.run()
  try {
    await Promise.race([untilPolling(connection, { namespace, taskQueue }, id), ended])
    signal.throwIfAborted()
  } catch (error) {
    await worker.stop()
    throw error
  }
  const watch = watchServer(temporal, logger)
  const stop = async () => {
    watch.stop()
    await worker.stop()
    await connection.close()
  }
  return { id, registryId, taskQueue, ended, stop }
}
