import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { LOOPBACK } from '../../src/dev-server/free-ports.ts'

/** A network between somebody and a server, which breaks when the test says so. */
export interface Link {
  readonly address: string
  /** Every connection is reset, and every new one, until it is mended. */
  cut(): void
  /** What is asked still reaches the server; no answer comes back. */
  loseAnswers(): void
  /** What was connected is reset, since something of it is lost; whoever connects again gets through. */
  mend(): void
}

export async function openLink(to: string): Promise<Link> {
  const [host = '', port] = to.split(':')
  const sockets = new Set<Socket>()
  let state: 'whole' | 'answers lost' | 'cut' = 'whole'
  const resetAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer(near => {
    if (state === 'cut') return near.destroy()
    const far = connect(Number(port), host)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.on('data', data => {
      if (state === 'whole') near.write(data)
    })
  }).listen(0, LOOPBACK)
  await once(server, 'listening')
  onTestFinished(() => {
    resetAll()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a port was asked for')
  return {
    address: `${LOOPBACK}:${address.port}`,
    cut() {
      state = 'cut'
      resetAll()
    },
    loseAnswers() {
      state = 'answers lost'
    },
    mend() {
      state = 'whole'
      resetAll()
    },
  }
}
