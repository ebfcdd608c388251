import type { TemporalRunHandle } from '../client/temporal-run-handle.ts'
import { defaultTaskQueue } from '../contract.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { ConnectionSettings } from './connection-settings.ts'

/** What hands processes to Temporal, for one command on the registry. It connects at its first call. */
export async function withRunHandle<T>(
  registry: ProcessRegistry,
  { temporal: { address, namespace }, taskQueue }: ConnectionSettings,
  use: (handle: TemporalRunHandle) => Promise<T>,
): Promise<T> {
  // Loaded late: see withProcessClient.
  const { Client, Connection } = await import('@temporalio/client')
  const { TemporalRunHandle } = await import('../client/temporal-run-handle.ts')
  const connection = Connection.lazy({ address, interceptors: [] })
  try {
    return await use(
      new TemporalRunHandle({
        client: new Client({ connection, namespace }),
        registry,
        taskQueue: taskQueue ?? defaultTaskQueue(registry.registryId),
      }),
    )
  } finally {
    await connection.close()
  }
}
