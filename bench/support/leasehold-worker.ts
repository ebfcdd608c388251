/** node leasehold-worker.ts <server address> <registry file> */
import * as sdk from '@temporalio/worker'
import { createProcessWorker } from '../../src/index.ts'
import { createBenchHost } from './leasehold-host.ts'
import { runWorker } from './run-worker.ts'
import { CONCURRENCY, PARK_GRACE_MS } from './settings.ts'

const [, , address = '', registryPath = ''] = process.argv
const nothing = () => {}

await runWorker(sdk, address, async connection => {
  const worker = await createProcessWorker(createBenchHost(registryPath), {
    connection,
    concurrency: CONCURRENCY,
    parkGraceMs: PARK_GRACE_MS,
    // A killed worker is a warning, and here it is on purpose.
    logger: { debug: nothing, info: nothing, warn: nothing, error: console.error },
  })
  return { run: () => worker.run(), stop: () => void worker.stop() }
})
