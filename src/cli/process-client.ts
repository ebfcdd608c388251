import type { ProcessClient } from '../client/process-client.ts'
import type { Host } from '../runtime/host.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { withTemporalClient } from './temporal-client.ts'

/** A client for one command. It connects at its first call; what the server refuses is said, not tried again for long. */
export async function withProcessClient<T>(
  host: Host,
  settings: ConnectionSettings,
  use: (client: ProcessClient) => Promise<T>,
): Promise<T> {
  const { taskQueue } = settings
  // Loaded late, as the client of Temporal's is.
  const { createProcessClient } = await import('../client/process-client.ts')
  return withTemporalClient(settings, async temporal => {
    await using client = createProcessClient({
      host,
      temporal,
      ...(taskQueue === undefined ? {} : { taskQueue }),
    })
    return await use(client)
  })
}

/** A client for one command that asks for no server. */
export async function withInlineClient<T>(
  host: Host,
  use: (client: ProcessClient) => Promise<T>,
): Promise<T> {
  const { createProcessClient } = await import('../client/process-client.ts')
  await using client = createProcessClient({ host })
  return await use(client)
}
