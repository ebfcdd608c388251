import type { Client } from '@temporalio/client'
import type { ConnectionSettings } from './connection-settings.ts'
import type { TemporalSettings } from './temporal-settings.ts'

/** A client of the server for one command. It connects at its first call, and says at once what the server refuses. */
export async function withTemporalClient<T>(
  settings: ConnectionSettings,
  use: (client: Client, temporal: TemporalSettings) => Promise<T>,
): Promise<T> {
  const temporal = await settings.temporal()
  const { address, namespace, access, dataConverter } = temporal
  // Loaded late: the gRPC stack takes a third of a second, which commands on the registry alone need not pay.
  const { Client, Connection } = await import('@temporalio/client')
  // No interceptors: the SDK's own would retry for many seconds what is refused.
  const connection = Connection.lazy({ ...access, address, interceptors: [] })
  try {
    const converter = dataConverter === undefined ? {} : { dataConverter }
    return await use(new Client({ connection, namespace, ...converter }), temporal)
  } finally {
    await connection.close()
  }
}
