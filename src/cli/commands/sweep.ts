import { Command } from 'commander'
import type { SweepReport } from '../../maintenance/sweep.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { withRegistry } from '../open-registry.ts'
import { oneLine } from '../plain-text.ts'
import { sweepByHand } from '../sweep-by-hand.ts'

export function sweepCommand({ env, output, exitWith }: CliContext): Command {
  const command = new Command('sweep')
    .description('hand over or settle every process that is due, once; workers do it every second')
    .addOption(registryOption())
    .addOption(hostOption())
  for (const option of temporalOptions()) command.addOption(option)
  return command.action((connection: ConnectionFlags) => {
    const settings = readConnectionSettings(env, connection)
    return withRegistry(settings, async (registry, source) => {
      const report = await sweepByHand({ registry, source, settings, output })
      output.document(report, () => reportLines(report))
      if (report.failed.length > 0) exitWith(EXIT.error)
    })
  })
}

function reportLines({ submitted, settled, failed }: SweepReport): string[] {
  const lines = [
    ...submitted.map(id => `submitted  ${id}`),
    ...settled.map(id => `settled    ${id}`),
    ...failed.map(({ id, reason }) => `failed     ${id}: ${oneLine(reason)} It stays due.`),
  ]
  return lines.length === 0 ? ['No process is due.'] : lines
}
