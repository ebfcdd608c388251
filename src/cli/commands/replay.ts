import { Command } from 'commander'
import type { Replayed } from '../../replay/replay-histories.ts'
import { dataConverterOption } from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine } from '../plain-text.ts'
import { bundleOption, replayOptions } from '../replay-options.ts'
import { dataConverterOf } from '../temporal-settings.ts'

interface ReplayFlags {
  readonly bundle?: string
  readonly dataConverter?: string
}

export const replayCommand = ({ env, output, exitWith }: CliContext): Command =>
  new Command('replay')
    .description(
      'replay exported workflow histories with this build; exits 1 where it would have done otherwise',
    )
    .argument('<history...>', 'files of "temporal workflow show --output json", or of the UI')
    .addOption(bundleOption())
    .addOption(dataConverterOption())
    .action(async (files: readonly string[], flags: ReplayFlags) => {
      const [{ replayHistories }, { readHistoryFile }] = await Promise.all([
        import('../../replay/replay-histories.ts'),
        import('../../replay/history-file.ts'),
      ])
      const histories = await Promise.all(files.map(readHistoryFile))
      const { dataConverter } = await dataConverterOf(env, flags.dataConverter)
      const options = await replayOptions(env, flags.bundle, dataConverter)
      const replayed: Replayed[] = []
      for await (const one of replayHistories(histories, options)) replayed.push(one)
      const answers = replayed.map(({ workflowId: file, reason }) => ({
        file,
        ...(reason === undefined ? {} : { reason }),
      }))
      output.document({ replayed: answers }, () => answers.map(answerLine))
      if (answers.some(({ reason }) => reason !== undefined)) exitWith(EXIT.error)
    })

const answerLine = ({ file, reason }: { readonly file: string; readonly reason?: string }): string =>
  reason === undefined ? `replays  ${file}` : `breaks   ${file}: ${oneLine(reason)}`
