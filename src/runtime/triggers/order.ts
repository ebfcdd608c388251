import { LeaseholdError } from '../../model/errors.ts'
import { type Json, toJson } from '../../model/json.ts'
import type { SessionScope } from '../../model/session-scope.ts'
import type { TriggerDelivery, TriggeredStart, TriggerOrder, TriggerSource } from '../../model/trigger.ts'
import { type ProcessEnvironment, prepareEnvironment } from '../environment.ts'
import type { Host } from '../host.ts'
import { type AnyStart, prepareStart } from '../start-request.ts'
import { requireSchedule } from './schedule.ts'

export interface TriggerRequest {
  /** The same id again replaces what it ordered, from the next occurrence on. */
  readonly id: string
  /**
   * An event that somebody emits, or a schedule: five fields, or six with seconds first, by the clock of the time zone.
   * Default time zone: UTC. `catchUpMs`: times that were missed for longer are left out; a minute at least. Default: however
   * long ago, and however many they are, they occur once.
   */
  readonly on:
    | { readonly event: string }
    | { readonly cron: string; readonly timeZone?: string; readonly catchUpMs?: number }
  readonly start: TriggerStart
}

/** What each occurrence starts. */
export interface TriggerStart {
  /** Rerunnable: a start is repeated after a crash. */
  readonly kind: string
  /** Default: the occurrence's payload; of a schedule `{ triggerId, scheduledAt }`. */
  readonly input?: unknown
  readonly label?: string
  readonly maxAttempts?: number
  /** Originator, wake target and first grant of what is started. Default: the host. */
  readonly session?: SessionScope
  /** What it leaves out is the host's own. Captured now. */
  readonly env?: Partial<ProcessEnvironment>
}

export interface PreparedTrigger {
  readonly order: TriggerOrder
  /** To be captured before the trigger is saved. */
  readonly environment?: ProcessEnvironment
  readonly nextAtMs?: number
}

/** Checks a request against the host module. Nothing is written. Throws `trigger_invalid`, and as a start would. */
export async function prepareTrigger(
  host: Host,
  { id, on, start }: TriggerRequest,
  now: number,
): Promise<PreparedTrigger> {
  const source = sourceOf(on)
  const { env, input, ...rest } = start
  const given = input === undefined ? {} : { input: requireJson(input) }
  await requireStartable(host, { ...rest, ...given, ...(env === undefined ? {} : { env }) })
  // A turn has its environment in its own request.
  const hasEnvironment = start.kind !== 'session_turn'
  return {
    order: { triggerId: id, source, start: { ...pick(rest), ...given } },
    ...(hasEnvironment ? { environment: await prepareEnvironment(host, env) } : {}),
    ...(source.type === 'schedule' ? { nextAtMs: requireSchedule(source, now) } : {}),
  }
}

/** The start that a delivery stands for, by the trigger as it was then. */
export function startOf({ processId, occurrence, trigger }: TriggerDelivery): AnyStart {
  const { envRef: _, input = occurrence.payload, ...start } = trigger.start
  return { ...start, id: processId, input, ...rerunnable(start.kind) }
}

function sourceOf(on: TriggerRequest['on']): TriggerSource {
  if ('event' in on) return { type: 'event', name: on.event }
  const { cron, timeZone = 'UTC', catchUpMs } = on
  return { type: 'schedule', cron, timeZone, ...(catchUpMs === undefined ? {} : { catchUpMs }) }
}

/** Kinds that declare nothing have it stated with each start. */
const rerunnable = (kind: string) =>
  kind === 'tool_call' || kind === 'session_turn' ? { disposition: 'rerunnable' as const } : {}

async function requireStartable(host: Host, start: AnyStart): Promise<void> {
  const { kind } = start
  if (kind === 'external') throw notRerunnable(kind)
  // The input of an occurrence is not known yet, so only the kind can be looked at.
  if (start.input === undefined && (kind === 'tool_call' || kind === 'session_turn')) return
  const engine =
    host.engines !== undefined && Object.hasOwn(host.engines, kind) ? host.engines[kind] : undefined
  if (engine !== undefined && engine.disposition !== 'rerunnable') throw notRerunnable(kind)
  if (start.input === undefined && engine !== undefined) return
  await prepareStart(host, { ...start, ...rerunnable(kind) })
}

function requireJson(input: unknown): Json {
  const stored = toJson(input)
  if (stored.ok) return stored.json
  throw new LeaseholdError(
    'trigger_invalid',
    `A trigger's input must be plain JSON; found ${stored.found} at ${stored.path}.`,
  )
}

const pick = ({
  kind,
  label,
  maxAttempts,
  session,
}: Omit<TriggerStart, 'env' | 'input'>): TriggeredStart => ({
  kind,
  ...(label === undefined ? {} : { label }),
  ...(maxAttempts === undefined ? {} : { maxAttempts }),
  ...(session === undefined ? {} : { session }),
})

const notRerunnable = (kind: string): LeaseholdError =>
  new LeaseholdError(
    'trigger_invalid',
    `A trigger cannot start kind "${kind}": what it starts is started again after a crash, and that kind is not rerunnable.`,
  )
