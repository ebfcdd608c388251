import { Command } from 'commander'
import type { DeployReport } from '../../replay/deploy-check.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { loadHost } from '../load-host.ts'
import { withRegistry } from '../open-registry.ts'
import { oneLine } from '../plain-text.ts'
import { bundleOption, replayOptions } from '../replay-options.ts'
import { withTemporalClient } from '../temporal-client.ts'
import { requireNamespace, requireTemporal } from '../temporal-server.ts'

interface DeployCheckFlags extends ConnectionFlags {
  readonly bundle?: string
}

export function deployCheckCommand({ env, output, exitWith }: CliContext): Command {
  const command = new Command('deploy-check')
    .description(
      'replay every live process with this build, before it is deployed; exits 1 if it would break one',
    )
    .addOption(bundleOption())
    .addOption(registryOption())
    .addOption(hostOption())
  for (const option of temporalOptions()) command.addOption(option)
  return command.action(({ bundle, ...flags }: DeployCheckFlags) => {
    const settings = readConnectionSettings(env, flags)
    return withRegistry(settings, async registry => {
      const host = settings.host === undefined ? {} : { host: await loadHost(settings.host) }
      const temporal = await settings.temporal()
      await requireTemporal(temporal)
      const { checkDeploy } = await import('../../replay/deploy-check.ts')
      const options = await replayOptions(env, bundle, temporal.dataConverter)
      const report = await withTemporalClient(settings, async client => {
        await requireNamespace(client.connection, temporal)
        return checkDeploy({ registry, client, ...host, ...options })
      })
      output.document(report, () => reportLines(report))
      if (report.breaking.length > 0) exitWith(EXIT.error)
    })
  })
}

function reportLines({ replayed, pinned, withoutRun, breaking }: DeployReport): string[] {
  const broken = breaking.map(({ id, reason }) => `breaks  ${id}: ${oneLine(reason)}`)
  const rest = [
    ...(pinned === 0 ? [] : [`${pinned} pinned to the build that they began in.`]),
    ...(withoutRun === 0 ? [] : [`${withoutRun} without an open run: any build begins one.`]),
  ]
  const verdict =
    breaking.length === 0 ? 'This build can go on with all of them.' : 'Do not deploy this build.'
  return [...broken, `${replayed} replayed.`, ...rest, verdict]
}
