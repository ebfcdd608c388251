import { Command } from 'commander'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
  temporalOptions,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import type { Check } from '../doctor/check.ts'
import { examine } from '../doctor/examine.ts'
import { EXIT } from '../exit-code.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { alignColumns } from '../table.ts'

interface DoctorFlags extends ConnectionFlags {
  readonly tryOrder?: boolean
}

const PAINT = { ok: 'green', warn: 'yellow', fail: 'red' } as const

export function doctorCommand({ env, output, exitWith }: CliContext): Command {
  const command = new Command('doctor')
    .description('check registry, Temporal server, workers and host module, and say what to do')
    .option(
      '--try-order',
      'also try whether the server heeds priorities and fairness keys, by a few workflows that it starts and ends',
    )
    .addOption(registryOption())
    .addOption(hostOption())
  for (const option of temporalOptions()) command.addOption(option)
  return command.action(async ({ tryOrder = false, ...flags }: DoctorFlags) => {
    const checks = await examine(env, readConnectionSettings(env, flags), { tryOrder })
    output.document({ checks }, () => checkLines(checks, output))
    exitWith(exitCodeFor(checks))
  })
}

function checkLines(checks: readonly Check[], output: Output): string[] {
  return alignColumns(
    checks.flatMap(({ name, status, found, advice }) => [
      [output.paint(PAINT[status], status), name, oneLine(found)],
      ...(advice === undefined ? [] : [['', '', output.paint('dim', advice)]]),
    ]),
  )
}

function exitCodeFor(checks: readonly Check[]): number {
  const failures = checks.filter(({ status }) => status === 'fail')
  if (failures.length === 0) return EXIT.done
  return failures.some(({ isUnreachable }) => isUnreachable) ? EXIT.unreachable : EXIT.error
}
