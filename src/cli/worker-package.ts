import type { Logger } from '../runtime/logger.ts'

/** Loaded late, and told before its first use that signals are ours, and that only its errors are of interest. */
export async function loadWorkerPackage(logger: Logger): Promise<typeof import('@temporalio/worker')> {
  const sdk = await import('@temporalio/worker')
  const { Runtime, DefaultLogger, makeTelemetryFilterString } = sdk
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('ERROR', ({ message, meta }) => logger.error(message, meta)),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} },
    },
  })
  return sdk
}
