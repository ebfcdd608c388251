/** node stream-reader.ts <registry file> <process id> <readers>: reads to the end, and tells how late each delta came. */
import { createProcessClient } from '../../src/index.ts'
import { wallMs } from './clock.ts'
import { createBenchHost } from './leasehold-host.ts'

const [, , registryPath = '', id = '', readers = '1'] = process.argv
const processes = createProcessClient({ host: createBenchHost(registryPath) })

async function readOnce(): Promise<number[]> {
  const late: number[] = []
  for await (const entry of processes.handle(id).stream('bench')) {
    if (entry.offset === 0) process.send?.({ type: 'reading' })
    else if (entry.type === 'delta') late.push(wallMs() - Number(entry.data))
  }
  return late
}

const late = await Promise.all(Array.from({ length: Number(readers) }, readOnce))
await processes[Symbol.asyncDispose]()
process.send?.({ type: 'read', late }, () => process.disconnect())
