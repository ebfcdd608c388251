import type { ProcessClient } from '../client/process-client.ts'
import { isLeaseholdError } from '../model/errors.ts'
import type { Host } from '../runtime/host.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { requireNamespace } from './temporal-server.ts'

/** A client for one command. It connects at its first call; what the server refuses is said, not tried again for long. */
export async function withProcessClient<T>(
  host: Host,
  { temporal: { address, namespace }, taskQueue }: ConnectionSettings,
  use: (client: ProcessClient) => Promise<T>,
): Promise<T> {
  // Loaded late: the gRPC stack takes a third of a second, which commands on the registry alone need not pay.
  const { Client, Connection } = await import('@temporalio/client')
  const { createProcessClient } = await import('../client/process-client.ts')
  const connection = Connection.lazy({ address, interceptors: [] })
  const client = createProcessClient({
    host,
    temporal: new Client({ connection, namespace }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  })
  try {
    return await use(client)
  } catch (error) {
    // A wrong namespace shows only at the first call, and as one of the server's own errors.
    if (!isLeaseholdError(error)) await requireNamespace(connection, { address, namespace })
    throw error
  } finally {
    await client[Symbol.asyncDispose]()
    await connection.close()
  }
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
