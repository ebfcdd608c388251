import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker'

// Its warnings tell of servers that the tests kill. Installed once for each test file, before its first worker.
const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' })
const logger = new DefaultLogger('ERROR')
Runtime.install({ shutdownSignals: [], logger, telemetryOptions: { logging: { filter, forward: {} } } })
