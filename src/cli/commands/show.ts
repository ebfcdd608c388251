import { Command } from 'commander'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { processLines } from '../process-lines.ts'

export const showCommand = ({ env, output }: CliContext): Command =>
  new Command('show')
    .description('print the record of a process')
    .argument('<id>', 'process id')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, flags: ConnectionFlags) =>
      withRegistry(readConnectionSettings(env, flags), async registry => {
        const record = await registry.requireRecord(id)
        output.document(record, () => processLines(record, output))
      }),
    )
