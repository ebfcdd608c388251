/** node bare-worker.ts <server address>: Temporal as its users write it, without this library. */
import { fileURLToPath } from 'node:url'
import * as sdk from '@temporalio/worker'
import { createBareActivities } from './bare-activities.ts'
import { runWorker } from './run-worker.ts'
import { BARE_HEARTBEAT_MS, BARE_TASK_QUEUE, BARE_WORKER_SETTINGS } from './settings.ts'

const [, , address = ''] = process.argv

await runWorker(sdk, address, async connection => {
  const worker = await sdk.Worker.create({
    connection,
    taskQueue: BARE_TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('bare-workflows.ts', import.meta.url)),
    activities: createBareActivities(),
    ...BARE_WORKER_SETTINGS,
    // By default a cancel would wait for a heartbeat that is held back for four seconds.
    maxHeartbeatThrottleInterval: BARE_HEARTBEAT_MS,
    defaultHeartbeatThrottleInterval: BARE_HEARTBEAT_MS,
  })
  return { run: () => worker.run(), stop: () => worker.shutdown() }
})
