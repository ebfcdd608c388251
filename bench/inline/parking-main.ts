/**
 * node --expose-gc parking-main.ts <registry file>: client and inline worker in one OS process. Starts as many processes
 * that park as it is told to, and says how much memory it has.
 */
import { createInlineWorker, createProcessClient } from '../../src/index.ts'
import { createBenchHost } from '../support/leasehold-host.ts'
import { PARK_GRACE_MS } from '../support/settings.ts'
import type { ParkingAnswer, ParkingRequest } from './parked-many.ts'

const [, , registryPath = ''] = process.argv
/** Starts in flight: they share their commits. */
const WIDTH = 100

const host = createBenchHost(registryPath)
const worker = createInlineWorker(host, { parkGraceMs: PARK_GRACE_MS })
const processes = createProcessClient({ host })
const tell = (answer: ParkingAnswer) => process.connected && process.send?.(answer)

process.on('message', async (request: ParkingRequest) => {
  if (request.type === 'start') {
    await startAll(request.count)
    tell({ type: 'started' })
  } else {
    tell({ type: 'memory', bytes: memoryBytes() })
  }
})
process.once('disconnect', async () => {
  await worker.stop()
  await processes[Symbol.asyncDispose]()
  process.exit(0)
})
await worker.ready
tell({ type: 'ready' })

async function startAll(count: number): Promise<void> {
  let left = count
  const startSome = async () => {
    while (left-- > 0) await processes.start({ kind: 'listen' })
  }
  await Promise.all(Array.from({ length: WIDTH }, startSome))
}

/** What is left when all that nobody refers to is gone. */
function memoryBytes(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  return process.memoryUsage.rss()
}
