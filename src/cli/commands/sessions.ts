import { Argument, Command } from 'commander'
import { LeaseholdError } from '../../model/errors.ts'
import type { SessionEntry } from '../../model/session.ts'
import { unknownSession } from '../../model/session-errors.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
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

const ACTIONS = ['show', 'close', 'fork', 'delete'] as const
type Action = (typeof ACTIONS)[number]

interface SessionsFlags extends ConnectionFlags {
  readonly at?: number
  readonly id?: string
}

export const sessionsCommand = ({ env, output }: CliContext): Command =>
  new Command('sessions')
    .description('show what was said in a session, close it, fork it, or delete it')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .argument('<id>', 'session id')
    .option('--id <new>', 'fork: the id of the new session')
    .option('--at <position>', 'fork: the last entry it takes along', wholeNumber({ min: 0 }))
    .addOption(registryOption())
    .addOption(hostOption())
    .action((action: Action, sessionId: string, flags: SessionsFlags) => {
      requireForkOnly(action, flags)
      return withRegistry(readConnectionSettings(env, flags), registry => {
        switch (action) {
          case 'show':
            return show(registry, sessionId, output)
          case 'close':
            return close(registry, sessionId, output)
          case 'fork':
            return fork(registry, sessionId, flags, output)
          case 'delete':
            return remove(registry, sessionId, output)
        }
      })
    })

function requireForkOnly(action: Action, { at, id }: SessionsFlags): void {
  if (action === 'fork' && id === undefined)
    throw new LeaseholdError('usage', 'A fork needs an id of its own: --id NEW.')
  if (action !== 'fork' && (id !== undefined || at !== undefined))
    throw new LeaseholdError('usage', `--id and --at are for fork; ${action} takes neither.`)
}

async function show(registry: ProcessRegistry, sessionId: string, output: Output): Promise<void> {
  const loaded = await registry.loadSession(sessionId)
  if (loaded === undefined) throw unknownSession(sessionId)
  const waiting = (await registry.waitingInputs(sessionId)).map(({ turnId }) => turnId)
  output.document({ ...loaded, waiting }, () => {
    const { openFor, closedAtMs } = loaded.session
    return [
      ...alignColumns(loaded.entries.map(row)),
      openFor === undefined ? 'No turn has it.' : `Turn ${oneLine(openFor)} has it.`,
      ...(waiting.length === 0 ? [] : [`Waiting: ${waiting.map(oneLine).join(', ')}`]),
      ...(closedAtMs === undefined ? [] : [`Closed since ${formatTime(closedAtMs)}.`]),
    ]
  })
}

const row = ({ position, turnId, message, appendedAtMs }: SessionEntry): readonly string[] => [
  String(position),
  formatTime(appendedAtMs),
  oneLine(turnId),
  oneLine(JSON.stringify(message)),
]

async function close(registry: ProcessRegistry, sessionId: string, output: Output): Promise<void> {
  const { session, waiting } = await registry.closeSession(sessionId)
  for (const turnId of waiting) await registry.requestCancel(turnId, `session "${sessionId}" was closed`)
  output.document({ session, cancelled: waiting }, () => [
    `Session ${oneLine(sessionId)} is closed: it takes nothing new, and can be read and forked.`,
    ...(session.openFor === undefined ? [] : [`Turn ${oneLine(session.openFor)} comes to its end.`]),
    ...waiting.map(turnId => `Turn ${oneLine(turnId)}, which waited for it, is cancelled.`),
  ])
}

async function fork(
  registry: ProcessRegistry,
  sessionId: string,
  { at, id = '' }: SessionsFlags,
  output: Output,
): Promise<void> {
  const session = await registry.forkSession(sessionId, { id, ...(at === undefined ? {} : { at }) })
  output.document(session, () => [
    `Session ${oneLine(id)} begins with what was said in session ${oneLine(sessionId)} up to entry ${session.lastPosition}.`,
  ])
}

async function remove(registry: ProcessRegistry, sessionId: string, output: Output): Promise<void> {
  if (!(await registry.deleteSession(sessionId))) throw unknownSession(sessionId)
  output.document({ deleted: sessionId }, () => [
    `Session ${oneLine(sessionId)} is deleted, with all that was said in it.`,
  ])
}
