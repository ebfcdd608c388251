/** node inline-worker.ts <registry file> */
import { createInlineWorker } from '../../src/index.ts'
import { createBenchHost } from './leasehold-host.ts'
import { PARK_GRACE_MS } from './settings.ts'
import { tellBench } from './worker-messages.ts'

const [, , registryPath = ''] = process.argv
const nothing = () => {}

const worker = createInlineWorker(createBenchHost(registryPath), {
  parkGraceMs: PARK_GRACE_MS,
  // A killed worker is a warning, and here it is on purpose.
  logger: { debug: nothing, info: nothing, warn: nothing, error: console.error },
})
process.on('SIGTERM', () => worker.stop())
process.on('disconnect', () => worker.stop())
await worker.ready
tellBench({ type: 'ready' })
await worker.run()
process.exit(0) // the IPC channel would keep it alive
