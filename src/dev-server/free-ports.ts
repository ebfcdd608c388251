import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

export const LOOPBACK = '127.0.0.1'

/**
 * For each preferred port that port if it is free, else any free one; 0 prefers none. All are held until all are
 * found, so that they differ. They are free at this moment only: whoever uses them must expect to lose one.
 */
export async function findFreePorts(preferred: readonly number[]): Promise<number[]> {
  const held: Server[] = []
  try {
    for (const port of preferred) held.push((await tryListen(port)) ?? (await listen(0)))
    return held.map(server => (server.address() as AddressInfo).port)
  } finally {
    await Promise.all(held.map(server => once(server.close(), 'close')))
  }
}

async function tryListen(port: number): Promise<Server | undefined> {
  try {
    return await listen(port)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // EACCES: a privileged port, or one that Windows has set aside.
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined
    throw error
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen({ host: LOOPBACK, port })
  await once(server, 'listening')
  return server
}
