import { once } from 'node:events'
import {
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { SELF_SIGNED, SIGNED } from './self-signed.ts'

export interface TemporalDoor {
  /** `host:port`, on loopback. */
  readonly address: string
  /** How many calls were let in, and how many were turned away. */
  readonly calls: { in: number; refused: number }
}

/** Whom the door lets in: who has a certificate of our authority, or who shows this key. */
export type DoorKey = { readonly type: 'certificate' } | { readonly type: 'api-key'; readonly apiKey: string }

/** gRPC's UNAUTHENTICATED. */
const UNAUTHENTICATED = '16'

/** A Temporal server behind a door that speaks TLS and lets in only those with a key, as Temporal Cloud does. */
export async function openTemporalDoor(server: string, key: DoorKey): Promise<TemporalDoor> {
  const inside = connect(`http://${server}`).on('error', () => {})
  const calls = { in: 0, refused: 0 }
  const door = createSecureServer({
    ...SIGNED,
    ca: SELF_SIGNED.cert,
    requestCert: key.type === 'certificate',
    rejectUnauthorized: key.type === 'certificate',
  })
  const sockets = new Set<TLSSocket>()
  door.on('secureConnection', socket => sockets.add(socket.on('error', () => {})))
  door.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const isLetIn = key.type === 'certificate' || headers.authorization === `Bearer ${key.apiKey}`
    calls[isLetIn ? 'in' : 'refused'] += 1
    if (isLetIn) passOn(stream, headers)
    else refuse(stream)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  onTestFinished(async () => {
    inside.destroy()
    door.close()
    for (const socket of sockets) socket.destroy()
    await once(door, 'close')
  })

  function passOn(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const call = inside.request({ ...headers, ':authority': server, ':scheme': 'http' })
    call.on('error', () => stream.destroy())
    stream.on('close', () => call.close())
    let trailers: IncomingHttpHeaders = {}
    call.on('trailers', received => {
      trailers = received
    })
    call.on('response', (answer, flags) => {
      // A call that fails at once has its status in the only headers that it gets.
      const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      stream.respond(answer, { waitForTrailers: !isWhole, endStream: isWhole })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      if (!isWhole) call.pipe(stream)
    })
    stream.pipe(call)
  }

  return { address: `127.0.0.1:${(door.address() as AddressInfo).port}`, calls }
}

const refuse = (stream: ServerHttp2Stream): void =>
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': UNAUTHENTICATED,
      'grpc-message': 'no such key',
    },
    { endStream: true },
  )
