import { Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import { toJson } from '../../model/json.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { readInput } from '../start-input.ts'

interface SignalFlags extends ConnectionFlags {
  readonly signalId?: string
}

/** A worker's sweep hears of it in the registry and goes on with the process, so no server is needed here. */
export function signalCommand({ env, output }: CliContext): Command {
  return new Command('signal')
    .description('send a process a signal that its kind declares')
    .argument('<id>', 'process id')
    .argument('<name>', 'the signal, without "signal."')
    .argument('[payload]', 'JSON, @FILE or - for standard input; default null')
    .option('--signal-id <id>', 'sent again under the same id it is the same signal')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (id: string, name: string, given: string | undefined, flags: SignalFlags) => {
      const { signalId, ...connection } = flags
      const payload = toJson(await readInput(given, 'the payload'))
      if (!payload.ok) throw new LeaseholdError('usage', `The payload is not JSON: ${payload.found}.`)
      await withRegistry(readConnectionSettings(env, connection), async registry => {
        const options = signalId === undefined ? {} : { signalId }
        const { type, event, isDue } = await registry.signal(id, name, payload.json, options)
        output.document(event, () => [
          type === 'replayed'
            ? `Process ${id} has had this signal before: it is #${event.sequence} of its log.`
            : `Signal ${name} is #${event.sequence} of process ${id}'s log.${isDue ? ' It was parked for it, and goes on.' : ''}`,
        ])
      })
    })
}
