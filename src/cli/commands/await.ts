import { Command } from 'commander'
import { awaitOutcomeOrInterrupt } from '../await-outcome.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT, EXIT_OF_OUTCOME } from '../exit-code.ts'
import { withRegistry } from '../open-registry.ts'
import { outcomeLines } from '../process-lines.ts'
import { parseDuration } from '../time-text.ts'

interface AwaitFlags extends ConnectionFlags {
  readonly timeout?: string
}

export const awaitCommand = ({ env, output, exitWith }: CliContext): Command =>
  new Command('await')
    .description('wait for the end of a process and print its outcome; the exit code says how it ended')
    .argument('<id>', 'process id')
    .option('--timeout <duration>', 'wait no longer than this (500ms, 30s, 5m, 2h)')
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (id: string, { timeout, ...connection }: AwaitFlags) => {
      const limit = timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }
      await withRegistry(readConnectionSettings(env, connection), async registry => {
        const outcome = await awaitOutcomeOrInterrupt(registry, id, { output, ...limit })
        if (outcome === undefined) {
          output.document({ status: 'running' }, () => [`status  running (still, after ${timeout})`])
          return exitWith(EXIT.stillRunning)
        }
        output.document(outcome, () => outcomeLines(outcome, output))
        exitWith(EXIT_OF_OUTCOME[outcome.status])
      })
    })
