import { isLeaseholdError, isTransient, messageOf } from '../model/errors.ts'
import type { TriggerDelivery } from '../model/trigger.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'
import { prepareStart } from '../runtime/start-request.ts'
import { startOf } from '../runtime/triggers/order.ts'

export interface DeliveryReport {
  readonly triggerId: string
  readonly processId: string
  /** `failed`: it is tried again later, for 7 days. */
  readonly status: 'started' | 'already_reserved' | 'failed'
  readonly reason?: string
}

/**
 * Starts what a delivery stands for. The process's id is the delivery's: whoever comes second finds it, also when it has
 * ended and was pruned. What cannot be started now is reported, and tried again later; only trouble with the registry itself
 * is thrown.
 */
export async function startTriggered(
  { host, registry }: { readonly host: Host; readonly registry: ProcessRegistry },
  delivery: TriggerDelivery,
): Promise<DeliveryReport> {
  const { processId } = delivery
  const { triggerId } = delivery.trigger
  try {
    await register(host, registry, delivery)
  } catch (error) {
    if (isTransient(error)) throw error
    if (!isStarted(error)) {
      const reason = messageOf(error)
      await registry.settleDelivery(processId, { type: 'not_started', reason })
      return { triggerId, processId, status: 'failed', reason }
    }
  }
  await registry.settleDelivery(processId, { type: 'started' })
  return { triggerId, processId, status: 'started' }
}

async function register(host: Host, registry: ProcessRegistry, delivery: TriggerDelivery): Promise<void> {
  const { trigger, occurrence } = delivery
  const { session, envRef } = trigger.start
  // It may be there already, and what the host makes of the start may be another thing by now.
  if ((await registry.get(delivery.processId)) !== undefined) return
  const { registration } = await prepareStart(host, startOf(delivery))
  const causedBy = {
    type: 'trigger_occurrence',
    occurrenceId: occurrence.occurrenceId,
    subscriptionId: trigger.triggerId,
    subscriptionIncarnation: trigger.incarnation,
    subscriptionRevision: trigger.revision,
  } as const
  await registry.register(
    {
      ...registration,
      provenance: { ...registration.provenance, causedBy },
      ...(envRef === undefined ? {} : { envRef }),
    },
    { isDueAtOnce: true, ...(session === undefined ? {} : { grant: { scope: session } }) },
  )
}

/** Somebody else was first. */
const isStarted = (error: unknown): boolean =>
  isLeaseholdError(error, 'process_registration_conflict') ||
  isLeaseholdError(error, 'process_no_longer_retained')
