import { Command } from 'commander'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'

interface ForkFlags extends ConnectionFlags {
  readonly from: string
  readonly id: string
}

/** The new row is due at once, and a worker's sweep takes it from there: no server is needed here. */
export const forkCommand = ({ env, output }: CliContext): Command =>
  new Command('fork')
    .description('start a new process that does the same from a step on, with the journal before it')
    .argument('<id>', 'process id')
    .requiredOption('--from <step>', 'the first step that is run again, as "steps" prints it')
    .requiredOption('--id <new>', 'the id of the new process')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (source: string, { from, id, ...connection }: ForkFlags) => {
      await withRegistry(readConnectionSettings(env, connection), async registry => {
        const { type, record } = await registry.fork(source, { from, id })
        output.document(record, () => [
          type === 'existing'
            ? `Process ${id} is that fork already; nothing was changed.`
            : `Process ${id} goes on from step ${from} of process ${source}.`,
        ])
      })
    })
