import { Command } from 'commander'
import type { JournalEntry } from '../../model/journal.ts'
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
import { formatDuration } from '../time-text.ts'

interface StepsFlags extends ConnectionFlags {
  readonly all?: true
}

export const stepsCommand = ({ env, output }: CliContext): Command =>
  new Command('steps')
    .description('print the journal of a process: its steps and sleeps')
    .argument('<id>', 'process id')
    .option('--all', 'waits, starts, emitted events and readings of the clock as well')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((id: string, { all, ...connection }: StepsFlags) =>
      withRegistry(readConnectionSettings(env, connection), async registry => {
        const journal = await registry.journal(id)
        const steps = journal.filter(({ kind }) => all || kind === 'step' || kind === 'sleep')
        output.document({ steps }, () => stepLines(steps, output))
      }),
    )

function stepLines(steps: readonly JournalEntry[], output: Output): string[] {
  if (steps.length === 0) return ['No step yet.']
  const head = ['STEP', 'KIND', 'EFFECT', 'STATUS', 'ATTEMPT', 'TOOK'].map(name => output.paint('dim', name))
  return alignColumns([head, ...steps.map(step => columnsOf(step, output))])
}

function columnsOf(step: JournalEntry, output: Output): string[] {
  const { address, kind, effect, attempt, startedAtMs, endedAtMs } = step
  return [
    oneLine(address),
    kind,
    effect,
    statusText(step, output),
    // Attempts are not numbered in the journal; equal beginnings are the same attempt.
    attempt.slice(0, 8),
    endedAtMs === undefined ? '-' : formatDuration(endedAtMs - startedAtMs),
  ]
}

function statusText({ status, failure }: JournalEntry, output: Output): string {
  if (status === 'done') return status
  const word = status === 'not_done' ? 'not done' : status
  const text = failure === undefined ? word : `${word} (${oneLine(failure.message)})`
  return output.paint(status === 'claimed' || status === 'not_done' ? 'yellow' : 'red', text)
}
