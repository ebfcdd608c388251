import { Command } from 'commander'
import { explain } from '../../model/explain.ts'
import type { ProcessRecord } from '../../model/process.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { oneLine } from '../plain-text.ts'
import { actOn } from '../sweep-by-hand.ts'
import { formatTime } from '../time-text.ts'

interface AbandonFlags extends ConnectionFlags {
  readonly by: string
  readonly reason?: string
}

export function abandonCommand({ env, output }: CliContext): Command {
  const command = new Command('abandon')
    .description(
      'give up a process that is silent, or somebody else’s work; nothing ends while somebody holds it',
    )
    .argument('<id>', 'process id')
    .requiredOption('--by <who>', 'who asks, for the record')
    .option('--reason <text>', 'why, for the record')
    .addOption(registryOption())
    .addOption(hostOption())
  for (const option of temporalOptions()) command.addOption(option)
  return command.action((id: string, { by, reason, ...connection }: AbandonFlags) => {
    const settings = readConnectionSettings(env, connection)
    return withRegistry(settings, async (registry, source) => {
      const asked = { requestedBy: by, ...(reason === undefined ? {} : { reason }) }
      const { record: before, isDue } = await registry.requestAbandon(id, asked)
      if (isDue) await actOn(id, { registry, source, settings, output })
      const told = explain(await registry.situation(id))
      const record = (await registry.get(id)) ?? before
      output.document({ ...record, explanation: told }, () => [
        askedLine(record, by),
        ...[told.why, ...told.moves.map(move => `- ${move}`)].map(oneLine),
      ])
    })
  })
}

function askedLine({ id, abandonRequest }: ProcessRecord, by: string): string {
  const { requestedBy = by, requestedAtMs = 0 } = abandonRequest ?? {}
  return requestedBy === by
    ? `Request to abandon process ${id} recorded.`
    : `${oneLine(requestedBy)} asked to abandon process ${id} at ${formatTime(requestedAtMs)}; the first request stays.`
}
