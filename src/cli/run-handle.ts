import type { TemporalRunHandle } from '../client/temporal-run-handle.ts'
import { defaultTaskQueue } from '../contract.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { withTemporalClient } from './temporal-client.ts'

/** What hands processes to Temporal, for one command on the registry. It connects at its first call. */
export function withRunHandle<T>(
  registry: ProcessRegistry,
  settings: ConnectionSettings,
  use: (handle: TemporalRunHandle) => Promise<T>,
): Promise<T> {
  return withTemporalClient(settings, async client => {
    const { TemporalRunHandle } = await import('../client/temporal-run-handle.ts')
    const taskQueue = settings.taskQueue ?? defaultTaskQueue(registry.registryId)
    return use(new TemporalRunHandle({ client, registry, taskQueue }))
  })
}
