import { Argument, Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import { MAX_PAGE } from '../../model/list.ts'
import type { BlockedGroup, ProcessRegistry } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { withRegistry } from '../open-registry.ts'
import { wholeNumber } from '../option-values.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../plain-text.ts'
import { alignColumns } from '../table.ts'
import { formatTime } from '../time-text.ts'

interface WakesFlags extends ConnectionFlags {
  readonly limit: number
  readonly after?: string
}

export const wakesCommand = ({ env, output }: CliContext): Command =>
  new Command('wakes')
    .description('list the wakes that were given up and hold up others, or try them again')
    .addArgument(new Argument('<action>', 'what to do').choices(['list', 'redrive']))
    .argument('[wake-ids...]', 'redrive: which; as list prints them')
    .option('--limit <n>', 'list: rows of the page', wholeNumber({ min: 1, max: MAX_PAGE }), 100)
    .option('--after <wake-id>', 'list: begin after this one: the next page')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((action: 'list' | 'redrive', wakeIds: string[], flags: WakesFlags) => {
      requireIds(action, wakeIds)
      return withRegistry(readConnectionSettings(env, flags), registry =>
        action === 'list' ? list(registry, flags, output) : redrive(registry, wakeIds, output),
      )
    })

function requireIds(action: 'list' | 'redrive', wakeIds: readonly string[]): void {
  if ((action === 'redrive') === wakeIds.length > 0) return
  const problem =
    action === 'redrive'
      ? 'Name the wakes to redrive; "leasehold wakes list" prints their ids.'
      : `Listing takes no ids; found ${wakeIds.length}. To try them again: leasehold wakes redrive.`
  throw new LeaseholdError('usage', problem)
}

async function list(registry: ProcessRegistry, flags: WakesFlags, output: Output): Promise<void> {
  const { limit, after } = flags
  const blocked = await registry.blockedGroups({ limit, ...(after === undefined ? {} : { after }) })
  output.document({ blocked }, () => blockedLines(blocked, limit, output))
}

function blockedLines(blocked: readonly BlockedGroup[], limit: number, output: Output): string[] {
  if (blocked.length === 0) return ['No wake holds up others.']
  const head = ['WAKE', 'SESSION', 'PROCESS', 'GIVEN UP', 'REASON', 'BEHIND IT'].map(name =>
    output.paint('dim', name),
  )
  const rows = blocked.map(({ wakeId, sessionId, processId, atMs, reason, waiting }) => [
    wakeId,
    oneLine(sessionId),
    processId,
    formatTime(atMs),
    reason,
    String(waiting),
  ])
  const more = blocked.length === limit ? [`There may be more: --after ${blocked.at(-1)?.wakeId}`] : []
  return [...alignColumns([head, ...rows]), ...more]
}

/** Each by itself, in order: one that is refused keeps none of the others. */
async function redrive(
  registry: ProcessRegistry,
  wakeIds: readonly string[],
  { output, exitWith }: CliContext,
): Promise<void> {
  const redriven: string[] = []
  const refused: Refused[] = []
  for (const wakeId of wakeIds) {
    try {
      await registry.redriveWake(wakeId)
      redriven.push(wakeId)
    } catch (error) {
      if (!isLeaseholdError(error, 'wake_not_blocked')) throw error
      refused.push({ wakeId, code: error.code, message: error.message })
    }
  }
