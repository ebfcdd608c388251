import { Command } from 'commander'
import type { Effect } from '../../model/effect.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { alignColumns } from '../table.ts'
import { formatTime } from '../time-text.ts'

const PAINT = { done: 'green', not_done: 'dim', running: 'yellow', unknown: 'red' } as const

export const effectsCommand = ({ env, output }: CliContext): Command =>
  new Command('effects')
    .description('print what the once steps of a process did in the world outside, as far as is known')
    .argument('<id>', 'process id')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, connection: ConnectionFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        const effects = await registry.effects(id)
        output.document({ effects }, () => effectLines(effects, output))
      }),
    )

function effectLines(effects: readonly Effect[], output: Output): string[] {
  if (effects.length === 0) return ['No once step yet.']
  // A loop that rolls over has steps of one address in each epoch.
  const hasEpochs = effects.some(({ epoch }) => epoch > 0)
  const head = [...(hasEpochs ? ['EPOCH'] : []), 'STEP', 'STATE', 'OPERATION', 'SAID BY', 'AT']
  const rows = effects.map(effect => [
    ...(hasEpochs ? [String(effect.epoch)] : []),
    oneLine(effect.step),
    output.paint(PAINT[effect.state], stateText(effect)),
    effect.operationId,
    ...saidBy(effect),
  ])
  return alignColumns([head.map(name => output.paint('dim', name)), ...rows])
}

function stateText({ state, failure }: Effect): string {
  const text = state === 'not_done' ? 'not done' : state
  return failure === undefined ? text : `${text} (${oneLine(failure.message)})`
}

function saidBy({ resolution, endedAtMs, state }: Effect): string[] {
  if (resolution !== undefined) {
    const who = resolution.kind === 'by_hand' ? oneLine(resolution.by) : 'onUnknown'
    return [resolution.answer === state ? who : `${who}: not done`, formatTime(resolution.atMs)]
  }
  const isItsOwn = state === 'done' || state === 'not_done'
  return isItsOwn && endedAtMs !== undefined ? ['the step', formatTime(endedAtMs)] : ['-', '-']
}
