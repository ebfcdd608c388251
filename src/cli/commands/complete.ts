import { Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import type { Outcome } from '../../model/outcome.ts'
import {
  type ConnectionFlags,
  type ConnectionSettings,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { readJson } from '../json-input.ts'
import { withRegistry } from '../open-registry.ts'
import { processLines } from '../process-lines.ts'

interface CompleteFlags extends ConnectionFlags {
  readonly success?: string
  readonly failure?: string
  readonly by: string
  readonly call?: string
}

export const completeCommand = ({ env, output }: CliContext): Command =>
  new Command('complete')
    .description('end a process that somebody else owns, as its owner, or answer a pending tool call')
    .argument('[id]', 'process id')
    .option('--call <key>', 'instead of a process: the key of the tool call that waits for the answer')
    .option('--success <json>', 'it succeeded with this value: JSON, @FILE, or - for standard input')
    .option('--failure <message>', 'it failed, for this reason')
    .option('--by <who>', 'the owner who says so, for the record', 'the command line')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (id: string | undefined, flags: CompleteFlags) => {
      const outcome = await readOutcome(flags)
      const settings = readConnectionSettings(env, flags)
      if (flags.call !== undefined && id === undefined) {
        return answerCall(flags.call, outcome, { settings, output })
      }
      if (id === undefined || flags.call !== undefined)
        throw new LeaseholdError('usage', 'Say what is completed: either a process id or --call KEY.')
      await withRegistry(settings, async registry => {
        const authority = { authority: 'external_owner', grantedTo: flags.by } as const
        const ended = await registry.complete(id, outcome, authority)
        const record = (await registry.get(id)) ?? ended
        output.document(record, () => processLines(record, output))
      })
    })

/** A worker's sweep hears of it in the registry and goes on with the process, so no server is needed here. */
async function answerCall(
  key: string,
  outcome: OwnersOutcome,
  { settings, output }: { readonly settings: ConnectionSettings; readonly output: CliContext['output'] },
): Promise<void> {
  await withRegistry(settings, async registry => {
    const answer =
      outcome.status === 'completed'
        ? ({ status: 'success', value: outcome.value } as const)
        : ({ status: 'failure', message: outcome.message } as const)
    const { type, record, isDue } = await registry.completeToolCall(key, answer)
    output.document({ key, processId: record.id, type }, () => [
      type === 'replayed'
        ? `Process ${record.id} has had this answer before.`
        : `Process ${record.id} has its answer.${isDue ? ' It was parked for it, and goes on.' : ''}`,
    ])
  })
}

/** Somebody else's word: it succeeded, or it failed. */
type OwnersOutcome = Extract<Outcome, { readonly status: 'completed' | 'failed' }>

async function readOutcome({ success, failure }: CompleteFlags): Promise<OwnersOutcome> {
  if ((success === undefined) === (failure === undefined)) {
    throw new LeaseholdError('usage', 'Say how it ended: either --success JSON or --failure MESSAGE.')
  }
  if (failure !== undefined) {
    return { status: 'failed', class: 'external', code: 'process_failed', message: failure }
  }
  return { status: 'completed', value: (await readJson(success, '--success')) ?? null }
}
