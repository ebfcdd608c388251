/*
 * One worker, as a process of its own: `worker <temporal address> <data folder> <cache folder>`. It says over its channel
 * when it is ready, or why it cannot be; it drains and ends when the channel is closed, so it never outlives its owner.
 */
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import { createProcessWorker, isLeaseholdError, type Logger } from '../../src/index.ts'
import { createSurveyHost } from './host.ts'

export type WorkerMessage =
  | { readonly type: 'ready'; readonly id: string }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

const [address = '', dataDir = '', cacheDir = ''] = process.argv.slice(2)
const tell = (message: WorkerMessage) => process.send?.(message)

/** Whoever watches the survey should hear of trouble, such as an attempt that fails again and again. */
const warn: Logger['warn'] = (message, fields = {}) =>
  tell({ type: 'warning', text: `${message} ${JSON.stringify(fields)}` })
const logger: Logger = { debug: () => {}, info: () => {}, warn, error: warn }

// A terminal sends Ctrl-C to every process of the group; when this one ends is for its owner to say.
process.on('SIGINT', () => {})
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('WARN') })

try {
  const connection = await NativeConnection.connect({ address })
  const worker = await createProcessWorker(createSurveyHost(dataDir), {
    connection,
    cacheDir,
    logger,
    // Whoever stops the example wants to have it stopped; the survey goes on where it was, at the next start.
    shutdownGraceMs: 0,
  })
  process.once('disconnect', () => void worker.stop())
  process.once('SIGTERM', () => void worker.stop())
  if (!process.connected) void worker.stop()
  const running = worker.run()
  tell({ type: 'ready', id: worker.id })
  await running
  await connection.close()
} catch (error) {
  console.error(error)
  tell({
    type: 'failed',
    code: isLeaseholdError(error) ? error.code : 'worker_failed',
    message: error instanceof Error ? error.message : String(error),
  })
  process.exitCode = 1
}
if (process.connected) process.disconnect()
