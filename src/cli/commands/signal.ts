import { Command } from 'commander'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { readJson } from '../json-input.ts'
import { withRegistry } from '../open-registry.ts'

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
      const payload = (await readJson(given, 'the payload')) ?? null
      await withRegistry(readConnectionSettings(env, connection), async registry => {
        const options = signalId === undefined ? {} : { signalId }
        const { type, event, isDue } = await registry.signal(id, name, payload, options)
        output.document(event, () => [
          type === 'replayed'
            ? `Process ${id} has had this signal before: it is #${event.sequence} of its log.`
            : `Signal ${name} is #${event.sequence} of process ${id}'s log.${isDue ? ' It was parked for it, and goes on.' : ''}`,
        ])
      })
    })
}
