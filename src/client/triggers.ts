import { randomUUID } from 'node:crypto'
import { type DeliveryReport, startTriggered } from '../execution/start-triggered.ts'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import { toJson } from '../model/json.ts'
import {
  eventOccurrenceId,
  type SaveTriggerDecision,
  type Trigger,
  unknownTrigger,
} from '../model/trigger.ts'
import { allTriggers } from '../registry/all-triggers.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import { captureEnvironment, registryEnvironments } from '../runtime/environment.ts'
import type { Host } from '../runtime/host.ts'
import { prepareTrigger, type TriggerRequest } from '../runtime/triggers/order.ts'
import { requireSchedule } from '../runtime/triggers/schedule.ts'

/** Standing orders: whatever occurs of a trigger's source starts one process, exactly once. */
export interface TriggerClient {
  /**
   * Adds the trigger, or has its id order something else from the next occurrence on; the same again changes nothing. Throws
   * `trigger_invalid` (no cron expression, no such time zone, a kind that is not rerunnable), and as a start would.
   */
  add(request: TriggerRequest): Promise<SaveTriggerDecision>
  get(id: string): Promise<Trigger | undefined>
  /** All of them, in byte order of their ids. */
  list(): Promise<readonly Trigger[]>
  /** What occurs while it is paused starts nothing, also not later. Throws `trigger_unknown`. */
  pause(id: string): Promise<Trigger>
  /** A schedule goes on at its next time. Throws `trigger_unknown`. */
  resume(id: string): Promise<Trigger>
  /** What occurred before is started all the same. `false`: there is none. */
  remove(id: string): Promise<boolean>
  /**
   * Says that an event occurred. `key` stands for one thing that happened (a webhook's delivery id): said again it starts
   * nothing, and with another payload it throws `trigger_occurrence_conflict`. Default: a new one. A start that fails is
   * reported, not thrown, and tried again by the workers.
   */
  emit(event: string, payload?: unknown, options?: { readonly key?: string }): Promise<EmissionReport>
}

export interface EmissionReport {
  readonly occurrenceId: string
  /** One for each trigger that was on. */
  readonly deliveries: readonly DeliveryReport[]
}

export function createTriggerClient(host: Host, connect: () => Promise<ProcessRegistry>): TriggerClient {
  const setPaused = async (id: string, isPaused: boolean): Promise<Trigger> => {
    const registry = await connect()
    const trigger = await registry.trigger(id)
    if (trigger === undefined) throw unknownTrigger(id)
    return registry.pauseTrigger(id, isPaused, isPaused ? {} : await nextOf(registry, trigger))
  }
  return {
    async add(request) {
      const registry = await connect()
      const { order, environment, ...next } = await prepareTrigger(host, request, await registry.now())
      const store = host.stores?.environments ?? registryEnvironments(registry)
      const envRef = environment === undefined ? {} : { envRef: await captureEnvironment(store, environment) }
      return registry.saveTrigger({ ...order, start: { ...order.start, ...envRef } }, next)
    },
    get: async id => (await connect()).trigger(id),
    list: async () => allTriggers(await connect()),
    pause: id => setPaused(id, true),
    resume: id => setPaused(id, false),
    remove: async id => (await connect()).removeTrigger(id),
    async emit(event, payload = null, { key = randomUUID() } = {}) {
      const registry = await connect()
      const { type, occurrence, deliveries } = await registry.recordOccurrence({
        occurrenceId: eventOccurrenceId(event, key),
        source: { type: 'event', name: event },
        payload: requirePayload(payload),
      })
      const { occurrenceId } = occurrence
      if (type === 'known') {
        const known = deliveries.map(({ trigger, processId }) => ({
          ...{ triggerId: trigger.triggerId, processId },
          status: 'already_reserved' as const,
        }))
        return { occurrenceId, deliveries: known }
      }
      const reports: DeliveryReport[] = []
      for (const delivery of deliveries) reports.push(await startOne(host, registry, delivery))
      return { occurrenceId, deliveries: reports }
    },
  }
}

/** The occurrence is recorded: whatever happens now, the emission has succeeded, and the workers go on. */
async function startOne(
  host: Host,
  registry: ProcessRegistry,
  delivery: Parameters<typeof startTriggered>[1],
): Promise<DeliveryReport> {
  try {
    return await startTriggered({ host, registry }, delivery)
  } catch (error) {
    const { processId, trigger } = delivery
    return { triggerId: trigger.triggerId, processId, status: 'failed', reason: messageOf(error) }
  }
}

/** When a trigger that is on would occur next. */
export async function nextOf(registry: ProcessRegistry, { source }: Trigger): Promise<{ nextAtMs?: number }> {
  return source.type === 'schedule' ? { nextAtMs: requireSchedule(source, await registry.now()) } : {}
}

function requirePayload(payload: unknown) {
  const stored = toJson(payload)
  if (stored.ok) return stored.json
  throw new LeaseholdError(
    'trigger_invalid',
    `What occurred must be plain JSON; found ${stored.found} at ${stored.path}.`,
  )
}
