import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { SELF_SIGNED } from '../support/self-signed.ts'

/** A client's first message, where it wants TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * The same PostgreSQL behind a door that speaks TLS only, as a server with `hostssl` entries does. Returns its address,
 * and how many connections have come through.
 */
export async function openTlsDoor(
  server: string,
): Promise<{ readonly url: string; readonly entered: () => number }> {
  const { hostname, port } = new URL(server)
  const sockets = new Set<Socket>()
  let entered = 0
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const door = createServer(socket => {
    keep(socket).once('data', (first: Buffer) => {
      if (!first.equals(SSL_REQUEST)) return void socket.destroy()
      socket.write('S')
      const secured = keep(new TLSSocket(socket, { isServer: true, ...SELF_SIGNED }))
      secured.once('secure', () => {
        entered += 1
      })
      const inside = keep(connect(Number(port), hostname))
      secured.pipe(inside).pipe(secured)
    })
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  onTestFinished(async () => {
    door.close()
    for (const socket of sockets) socket.destroy()
    await once(door, 'close')
  })
  const url = new URL(server)
  url.hostname = '127.0.0.1'
  url.port = String((door.address() as AddressInfo).port)
  return { url: url.href, entered: () => entered }
}
