/* One worker without a server, as a process of its own: `inline-worker <data folder>`. */
import { createInlineWorker } from '../../src/index.ts'
import { serveOwner } from '../support/worker-channel.ts'
import { createSurveyHost } from './host.ts'

const [dataDir = ''] = process.argv.slice(2)

await serveOwner(async logger => {
  // As with the other worker, whoever stops the example wants to have it stopped.
  const worker = createInlineWorker(createSurveyHost(dataDir), { logger, shutdownGraceMs: 0 })
  await worker.ready
  return worker
})
