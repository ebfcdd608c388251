import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionOptions } from '@temporalio/client'

const CALL_TIMEOUT_MS = 2_000
const RETRY_MS = 50

/** How one gets in at a frontend that does not let in everybody. */
export type FrontendAccess = Pick<ConnectionOptions, 'tls' | 'metadata'> & { readonly apiKey?: string }

/** Resolves when the frontend at `address` knows all these namespaces; rejects only when `signal` aborts. */
export async function untilNamespacesAnswer(
  address: string,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await withConnection(address, {}, async connection => {
    for (const namespace of namespaces) {
      const describe = () => connection.workflowService.describeNamespace({ namespace })
      while (!(await succeeds(connection, describe))) {
        signal.throwIfAborted()
        await sleep(RETRY_MS)
      }
    }
  })
}

/** One question, one answer: throws if no Temporal frontend answers at `address`. */
export async function requireFrontend(
  address: string,
  timeoutMs: number,
  access: FrontendAccess = {},
): Promise<void> {
  await withConnection(address, access, connection =>
    connection.withDeadline(Date.now() + timeoutMs, () => connection.workflowService.getSystemInfo({})),
  )
}

/** gRPC's PERMISSION_DENIED and UNAUTHENTICATED: a server answers, and lets nobody in with these keys. */
export const isDenied = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && (error.code === 7 || error.code === 16)

async function succeeds(connection: Connection, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, call)
    return true
  } catch {
    return false
  }
}

async function withConnection<T>(
  address: string,
  access: FrontendAccess,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  // Loaded late: the gRPC stack takes a third of a second, which a mere look for the binary need not pay.
  const { Connection } = await import('@temporalio/client')
  // No interceptors: the SDK's own would retry for many seconds what is refused.
  const connection = Connection.lazy({ ...access, address, interceptors: [] })
  try {
    return await use(connection)
  } finally {
    await connection.close()
  }
}
