import { Command } from 'commander'
import { TEMPORAL_BACKEND } from '../../contract.ts'
import { isTerminal } from '../../model/outcome.ts'
import type { ProcessRecord } from '../../model/process.ts'
import type { RegistrySource } from '../../registry/source.ts'
import {
  type ConnectionFlags,
  type ConnectionSettings,
  hostOption,
  readConnectionSettings,
  registryOption,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { withProcessClient } from '../process-client.ts'
import { answers } from '../temporal-server.ts'
import type { TemporalSettings } from '../temporal-settings.ts'

interface CancelFlags extends ConnectionFlags {
  readonly reason?: string
  readonly force: boolean
}

export function cancelCommand({ env, output }: CliContext): Command {
  const command = new Command('cancel')
    .description('ask a process to stop; it ends as its code then decides')
    .argument('<id>', 'process id')
    .option('--reason <text>', 'why, for the record and the outcome')
    .option('--force', 'end it without its code, where that has not ended within a grace', false)
    .addOption(registryOption())
    .addOption(hostOption())
  for (const option of temporalOptions()) command.addOption(option)
  return command.action(async (id: string, { reason, force, ...connection }: CancelFlags) => {
    const settings = readConnectionSettings(env, connection)
    const temporal = await settings.temporal()
    return withRegistry(settings, async (registry, source) => {
      // The durable event first: it alone means cancel, and workers watch for it.
      const { record: before } = await registry.requestCancel(id, reason, { force })
      const isThere = before.externalRef?.backend === TEMPORAL_BACKEND && !isTerminal(before.status)
      const isTold = isThere && (await tellTemporal(source, settings, { id, reason, force }))
      const record = (await registry.get(id)) ?? before
      output.document({ ...record, temporalTold: isTold }, () => [
        answerLine(before, { isThere, isTold }, temporal),
      ])
    })
  })
}

/** The second way to a running process, for a worker that does not hear the registry. Without a server there is none. */
async function tellTemporal(
  registry: RegistrySource,
  settings: ConnectionSettings,
  {
    id,
    reason,
    force,
  }: { readonly id: string; readonly reason: string | undefined; readonly force: boolean },
): Promise<boolean> {
  if (!(await answers(await settings.temporal()))) return false
  await withProcessClient({ registry }, settings, client => client.handle(id).cancel(reason, { force }))
  return true
}

/** `isThere`: Temporal has a run of it, which could be told. */
function answerLine(
  { id, status, disposition, cancelRequest }: ProcessRecord,
  { isThere, isTold }: { readonly isThere: boolean; readonly isTold: boolean },
  { address }: TemporalSettings,
): string {
  if (isTerminal(status))
    return `Process ${id} has already ended: ${status}. The request was noted in its log.`
  const recorded = `${cancelRequest?.forcedAtMs === undefined ? 'Cancel' : 'Forced cancel'} of process ${id} recorded`
  if (disposition === 'externally_owned')
    return `${recorded} in its log. It is somebody else's work: its owner ends it, or "leasehold abandon ${id}" gives it up.`
  if (isTold) return `${recorded}; its worker is told.`
  const why = isThere ? `. No Temporal server answers at ${address}:` : ':'
  return `${recorded}${why} a worker that runs the process sees it at once, else the next sweep acts on it.`
}
