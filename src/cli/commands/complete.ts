import { Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import { toJson } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { processLines } from '../process-lines.ts'
import { readInput } from '../start-input.ts'

interface CompleteFlags extends ConnectionFlags {
  readonly success?: string
  readonly failure?: string
  readonly by: string
}

export const completeCommand = ({ env, output }: CliContext): Command =>
  new Command('complete')
    .description('end a process that somebody else owns, as its owner')
    .argument('<id>', 'process id')
    .option('--success <json>', 'it succeeded with this value: JSON, @FILE, or - for standard input')
    .option('--failure <message>', 'it failed, for this reason')
    .option('--by <who>', 'the owner who says so, for the record', 'the command line')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (id: string, flags: CompleteFlags) => {
      const outcome = await readOutcome(flags)
      const settings = readConnectionSettings(env, flags)
      await withRegistry(settings, async registry => {
        const authority = { authority: 'external_owner', grantedTo: flags.by } as const
        const ended = await registry.complete(id, outcome, authority)
        const record = (await registry.get(id)) ?? ended
        output.document(record, () => processLines(record, output))
      })
    })

async function readOutcome({ success, failure }: CompleteFlags): Promise<Outcome> {
  if ((success === undefined) === (failure === undefined)) {
    throw new LeaseholdError('usage', 'Say how it ended: either --success JSON or --failure MESSAGE.')
  }
  if (failure !== undefined) {
    return { status: 'failed', class: 'external', code: 'process_failed', message: failure }
  }
  const value = toJson(await readInput(success, '--success'))
  return { status: 'completed', value: value.ok ? value.json : null }
}
