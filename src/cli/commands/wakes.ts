import { Argument, Command } from 'commander'
import { isLeaseholdError, LeaseholdError } from '../../model/errors.ts'
import { MAX_PAGE } from '../../model/list.ts'
import type { BlockedGroup, ProcessRegistry } from '../../registry/registry.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT, exitCodeOf } from '../exit-code.ts'
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

export function wakesCommand(context: CliContext): Command {
  const { env, output } = context
  return new Command('wakes')
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
        action === 'list' ? list(registry, flags, output) : redrive(registry, [...new Set(wakeIds)], context),
      )
    })
}

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

type Fate =
  | { readonly wakeId: string; readonly state: 'redriven' | 'not_tried' }
  | { readonly wakeId: string; readonly state: 'failed'; readonly error: LeaseholdError }

/**
 * Each by itself, in order. What is said of one that holds up nobody is no reason to leave the next; where the registry
 * fails, the rest is not tried. One wake that cannot be redriven is the command's error; of several, each is told.
 */
async function redrive(
  registry: ProcessRegistry,
  wakeIds: readonly string[],
  { output, exitWith }: CliContext,
): Promise<void> {
  const fates: Fate[] = []
  let stopped: LeaseholdError | undefined
  for (const wakeId of wakeIds) {
    if (stopped !== undefined) {
      fates.push({ wakeId, state: 'not_tried' })
      continue
    }
    try {
      await registry.redriveWake(wakeId)
      fates.push({ wakeId, state: 'redriven' })
    } catch (error) {
      if (!isLeaseholdError(error)) throw error
      if (wakeIds.length === 1) throw error
      if (error.code !== 'wake_not_blocked') stopped = error
      fates.push({ wakeId, state: 'failed', error })
    }
  }
  output.document(documentOf(fates), () => fates.map(fateLine))
  if (stopped !== undefined) exitWith(exitCodeOf(stopped.code))
  else if (fates.some(({ state }) => state === 'failed')) exitWith(EXIT.conflict)
}

function documentOf(fates: readonly Fate[]): object {
  const idsOf = (wanted: Fate['state']) =>
    fates.flatMap(({ wakeId, state }) => (state === wanted ? [wakeId] : []))
  const failed = fates.flatMap(fate =>
    fate.state === 'failed'
      ? [{ wakeId: fate.wakeId, code: fate.error.code, message: fate.error.message }]
      : [],
  )
  return { redriven: idsOf('redriven'), failed, notTried: idsOf('not_tried') }
}

function fateLine(fate: Fate): string {
  switch (fate.state) {
    case 'redriven':
      return `${fate.wakeId} is tried again, as if it were new; those behind it follow.`
    case 'failed':
      return `${fate.wakeId} is not: ${fate.error.code}: ${oneLine(fate.error.message)}`
    case 'not_tried':
      return `${fate.wakeId} was not looked at.`
  }
}
