import { createExecutionEnvironment } from '../execution/environment.ts'
import { ProcessRunner } from '../execution/runner.ts'
import { type SweepReport, sweepOnce, sweepRows } from '../maintenance/sweep.ts'
import { MAX_PAGE } from '../model/list.ts'
import type { RegistrySource } from '../registry/source.ts'
import type { WatchedRegistry } from '../registry/watch.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import type { CliContext } from './context.ts'
import { createLog } from './log.ts'
import { withRunHandle } from './run-handle.ts'
import { answers } from './temporal-server.ts'

export interface SweepTools {
  readonly registry: WatchedRegistry
  readonly source: RegistrySource
  readonly settings: ConnectionSettings
  readonly output: CliContext['output']
}

/** One pass over all rows that need somebody, as a worker makes it every second. No process runs in this program. */
export function sweepByHand(tools: SweepTools): Promise<SweepReport> {
  const { environment, runner } = parts(tools)
  return withRunHandle(tools.registry, tools.settings, handle =>
    sweepOnce(environment, runner, handle, { limit: MAX_PAGE, isByHand: true }),
  )
}

/**
 * Acts on one row that a request has just made due, so that nobody waits for the next sweep. Best effort: without a
 * server to hand it to, the row stays due.
 */
export async function actOn(id: string, tools: SweepTools): Promise<void> {
  const { registry, settings } = tools
  const { stored } = await registry.situation(id)
  const isForServer = stored.record.disposition !== 'externally_owned'
  if (isForServer && !(await answers(await settings.temporal()))) return
  const { environment, runner } = parts(tools)
  await withRunHandle(registry, settings, handle => sweepRows([stored], environment, runner, handle))
}

function parts({ registry, source, output }: SweepTools) {
  const logger = createLog(output.isJson)
  const environment = createExecutionEnvironment({ registry: source }, registry, { logger })
  return { environment, runner: new ProcessRunner(environment) }
}
