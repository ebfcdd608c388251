import { isLeaseholdError, type Logger } from '../../src/index.ts'

export type WorkerMessage =
  | { readonly type: 'ready'; readonly id: string }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

/** A worker of either kind, as far as its program has to know it. */
export interface ServingWorker {
  readonly id: string
  run(): Promise<void>
  stop(): Promise<unknown>
}

const tell = (message: WorkerMessage) => process.send?.(message)

/** Whoever watches the example should hear of trouble, such as an attempt that fails again and again. */
const warn: Logger['warn'] = (message, fields = {}) =>
  tell({ type: 'warning', text: `${message} ${JSON.stringify(fields)}` })
const logger: Logger = { debug: () => {}, info: () => {}, warn, error: warn }

/**
 * The life of a worker's program. It says over its channel when the worker takes work, or why it cannot; it drains and
 * ends when the channel is closed, so it never outlives its owner.
 */
export async function serveOwner(create: (logger: Logger) => Promise<ServingWorker>): Promise<void> {
  // A terminal sends Ctrl-C to every process of the group; when this one ends is for its owner to say.
  process.on('SIGINT', () => {})
  try {
    const worker = await create(logger)
    process.once('disconnect', () => void worker.stop())
    process.once('SIGTERM', () => void worker.stop())
    if (!process.connected) void worker.stop()
    const running = worker.run()
    tell({ type: 'ready', id: worker.id })
    await running
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
}
