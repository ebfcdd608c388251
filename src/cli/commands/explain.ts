import { Command } from 'commander'
import { type Explanation, explain } from '../../model/explain.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { oneLine } from '../plain-text.ts'

export const explainCommand = ({ env, output }: CliContext): Command =>
  new Command('explain')
    .description('say in words who holds a process, why it waits, and what would move it')
    .argument('<id>', 'process id')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, connection: ConnectionFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        const told = explain(await registry.situation(id))
        output.document(told, () => explanationLines(told))
      }),
    )

/** Names in it are others' text. */
function explanationLines({ id, state, holder, why, moves }: Explanation): string[] {
  const head = [`${id}: ${state.replaceAll('_', ' ')}`, holder, why]
  const ways =
    moves.length === 0
      ? ['Nothing will move it.']
      : ['What would move it:', ...moves.map(move => `- ${move}`)]
  return [...head, ...ways].map(oneLine)
}
