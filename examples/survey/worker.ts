/* One worker on Temporal, as a process of its own: `worker <data folder> <cache folder> <temporal address>`. */
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import { createProcessWorker } from '../../src/index.ts'
import { serveOwner } from '../support/worker-channel.ts'
import { createSurveyHost } from './host.ts'

const [dataDir = '', cacheDir = '', address = ''] = process.argv.slice(2)

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('WARN') })

await serveOwner(async logger => {
  const connection = await NativeConnection.connect({ address })
  const worker = await createProcessWorker(createSurveyHost(dataDir), {
    connection,
    cacheDir,
    logger,
    // Whoever stops the example wants to have it stopped; the survey goes on where it was, at the next start.
    shutdownGraceMs: 0,
  })
  return {
    id: worker.id,
    stop: () => worker.stop(),
    run: async () => {
      await worker.run()
      await connection.close()
    },
  }
})
