import { randomUUID } from 'node:crypto'
import { Argument, Command } from 'commander'
import { nextOf } from '../../client/triggers.ts'
import { LeaseholdError } from '../../model/errors.ts'
import { eventOccurrenceId, unknownTrigger } from '../../model/trigger.ts'
import { allTriggers } from '../../registry/all-triggers.ts'
import type { ProcessRegistry } from '../../registry/registry.ts'
import type { TriggerRequest } from '../../runtime/triggers/order.ts'
import {
  type ConnectionFlags,
  hostOption,
  readConnectionSettings,
  registryOption,
} from '../connection-settings.ts'
import type { CliContext } from '../context.ts'
import { readJson } from '../json-input.ts'
import { loadHost, requireHostFile } from '../load-host.ts'
import { withRegistry } from '../open-registry.ts'
import type { Output } from '../output.ts'
import { withInlineClient } from '../process-client.ts'
import { parseDuration } from '../time-text.ts'
import { deliveryLines, triggerLines } from '../trigger-lines.ts'

const ACTIONS = ['list', 'add', 'pause', 'resume', 'remove', 'emit'] as const
type Action = (typeof ACTIONS)[number]

interface TriggersFlags extends ConnectionFlags {
  readonly event?: string
  readonly cron?: string
  readonly timeZone?: string
  readonly catchUp?: string
  readonly kind?: string
  readonly input?: string
  readonly label?: string
  readonly session?: string
  readonly payload?: string
  readonly key?: string
}

export const triggersCommand = (context: CliContext): Command =>
  new Command('triggers')
    .description('standing orders: what occurs of an event or by a schedule starts one process')
    .addArgument(new Argument('<action>', 'what to do').choices([...ACTIONS]))
    .argument('[name]', 'the trigger’s id; emit: the event’s name')
    .option('--event <name>', 'add: what is emitted under this name')
    .option('--cron <expression>', 'add: five fields, or six with seconds first')
    .option('--time-zone <zone>', 'add: of the IANA database (default: UTC)')
    .option('--catch-up <duration>', 'add: times missed for longer are left out, as in 1h (default: none is)')
    .option('--kind <kind>', 'add: what to start')
    .option('--input <json>', 'add: JSON, @FILE, or - (default: what occurred)')
    .option('--label <text>', 'add: for people, in lists')
    .option('--session <id>', 'add: the session that hears of what is started')
    .option('--payload <json>', 'emit: JSON, @FILE, or -')
    .option('--key <key>', 'emit: stands for one thing that happened; said again it starts nothing')
    .addOption(registryOption())
    .addOption(hostOption())
    .action((action: Action, name: string | undefined, flags: TriggersFlags) =>
      act(context, { action, flags, ...(name === undefined ? {} : { name }) }),
    )

async function act(
  { env, output }: CliContext,
  { action, name, flags }: { readonly action: Action; readonly name?: string; readonly flags: TriggersFlags },
): Promise<void> {
  const settings = readConnectionSettings(env, flags)
  if (action === 'list') return withRegistry(settings, registry => list(registry, output))
  if (name === undefined)
    throw usage(`"triggers ${action}" needs ${action === 'emit' ? 'the event’s name' : 'an id'}.`)
  if (action !== 'add')
    return withRegistry(settings, registry => change(registry, { action, name, flags }, output))
  if (flags.registry !== undefined)
    throw usage(
      'A trigger is added to the registry of the host module that it is checked against: leave --registry out.',
    )
  const request = await readRequest(name, flags)
  const host = await loadHost(requireHostFile(settings))
  const { type, trigger } = await withInlineClient(host, client => client.triggers.add(request))
  const said = { added: 'added', changed: 'changed', unchanged: 'there already, and unchanged' }[type]
  output.document({ ...trigger, type }, () => [`${name} is ${said}.`, ...triggerLines([trigger], output)])
}

async function list(registry: ProcessRegistry, output: Output): Promise<void> {
  const triggers = await allTriggers(registry)
  output.document({ triggers }, () =>
    triggers.length === 0 ? ['There are no triggers.'] : triggerLines(triggers, output),
  )
}

interface Change {
  readonly action: Exclude<Action, 'list' | 'add'>
  readonly name: string
  readonly flags: TriggersFlags
}

async function change(
  registry: ProcessRegistry,
  { action, name, flags }: Change,
  output: Output,
): Promise<void> {
  switch (action) {
    case 'pause':
    case 'resume': {
      const found = await registry.trigger(name)
      if (found === undefined) throw unknownTrigger(name)
      const isPaused = action === 'pause'
      const next = isPaused ? {} : await nextOf(registry, found)
      const trigger = await registry.pauseTrigger(name, isPaused, next)
      return output.document(trigger, () => triggerLines([trigger], output))
    }
    case 'remove':
      if (!(await registry.removeTrigger(name))) throw unknownTrigger(name)
      return output.document({ removed: name }, () => [
        `${name} is removed. What occurred before is started all the same.`,
      ])
    case 'emit':
      return emit(registry, name, flags, output)
  }
}

/** The workers start what is reserved here: a host module is not needed to say that something occurred. */
async function emit(
  registry: ProcessRegistry,
  event: string,
  { payload, key = randomUUID() }: TriggersFlags,
  output: Output,
): Promise<void> {
  const { type, occurrence, deliveries } = await registry.recordOccurrence({
    occurrenceId: eventOccurrenceId(event, key),
    source: { type: 'event', name: event },
    payload: (await readJson(payload, '--payload')) ?? null,
    isDueAtOnce: true,
  })
  const starts = deliveries.map(({ trigger, processId }) => ({ triggerId: trigger.triggerId, processId }))
  const { occurrenceId } = occurrence
  output.document({ occurrenceId, isKnown: type === 'known', starts }, () =>
    deliveryLines(type, starts, output),
  )
}

async function readRequest(id: string, flags: TriggersFlags): Promise<TriggerRequest> {
  const { event, cron, timeZone, catchUp, kind, label, session } = flags
  if (kind === undefined) throw usage('Say what to start: --kind KIND.')
  if ((event === undefined) === (cron === undefined))
    throw usage('A trigger has one source: --event NAME, or --cron EXPRESSION with --time-zone ZONE.')
  if (timeZone !== undefined && cron === undefined) throw usage('--time-zone belongs to --cron.')
  if (catchUp !== undefined && cron === undefined) throw usage('--catch-up belongs to --cron.')
  const input = await readJson(flags.input, '--input')
  const schedule = {
    cron: cron ?? '',
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(catchUp === undefined ? {} : { catchUpMs: parseDuration(catchUp) }),
  }
  return {
    id,
    on: event === undefined ? schedule : { event },
    start: {
      kind,
      ...(input === undefined ? {} : { input }),
      ...(label === undefined ? {} : { label }),
      ...(session === undefined ? {} : { session: { sessionId: session } }),
    },
  }
}

const usage = (message: string): LeaseholdError => new LeaseholdError('usage', message)
