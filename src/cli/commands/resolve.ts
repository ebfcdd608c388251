import { Command } from 'commander'
import { localWorker } from '../../execution/environment.ts'
import { isProvablyDead } from '../../execution/liveness.ts'
import type { StepAnswer } from '../../model/effect.ts'
import { LeaseholdError } from '../../model/errors.ts'
import type { ProcessRegistry, ResolveResult } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { readJson } from '../json-input.ts'
import { withRegistry } from '../open-registry.ts'
import { wholeNumber } from '../option-values.ts'
import { oneLine } from '../plain-text.ts'

interface ResolveFlags extends ConnectionFlags {
  readonly value?: string
  readonly notDone?: true
  readonly by: string
  readonly epoch?: number
}

/** A worker's sweep hears of it in the registry and goes on with the process, so no server is needed here. */
export const resolveCommand = ({ env, output }: CliContext): Command =>
  new Command('resolve')
    .description('say what became of a once step whose outcome is unknown, after a look at its destination')
    .argument('<id>', 'process id')
    .argument('<step>', 'its address, as "effects" prints it')
    .option('--value <json>', 'it took effect, and returned this: JSON, @FILE, or - for standard input')
    .option('--not-done', 'it did not take effect, and may be run')
    .requiredOption('--by <who>', 'who has looked, for the record')
    .option('--epoch <n>', 'of an earlier epoch of the journal', wholeNumber({ min: 0 }))
    .addOption(registryOption())
    .addOption(hostOption())
    .action(async (id: string, step: string, flags: ResolveFlags) => {
      const answer = await readAnswer(flags)
      await withRegistry(readConnectionSettings(env, flags), async registry => {
        const { by, epoch } = flags
        const result = await registry.resolveStep(id, step, answer, {
          by,
          ...(epoch === undefined ? {} : { epoch }),
          ...(await deadClaimer(registry, id, step)),
        })
        output.document(result, () => [answerLine(id, result)])
      })
    })

async function readAnswer({ value, notDone }: ResolveFlags): Promise<StepAnswer> {
  if ((value === undefined) === (notDone === undefined)) {
    throw new LeaseholdError('usage', 'Say what became of the step: either --value JSON or --not-done.')
  }
  if (notDone) return 'not_done'
  return { value: (await readJson(value, '--value')) ?? null }
}

/** On the claimer's own host the operating system knows whether it is dead, before its lease has lapsed. */
async function deadClaimer(
  registry: ProcessRegistry,
  id: string,
  step: string,
): Promise<{ deadWorker?: string }> {
  const claimedBy = (await registry.journalEntry(id, step))?.claimedBy
  const isDead = claimedBy !== undefined && isProvablyDead(claimedBy, localWorker(registry))
  return isDead ? { deadWorker: claimedBy.incarnationId } : {}
}

function answerLine(id: string, { type, effect, isDue }: ResolveResult): string {
  const { step, state } = effect
  const known = `Step ${oneLine(step)} of process ${id} is ${state === 'not_done' ? 'not done' : state}`
  if (type === 'replayed') return `${known}; that was said before.`
  return `${known}.${isDue ? ' It was parked for it, and goes on.' : ''}`
}
