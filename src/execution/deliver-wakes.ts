import { LeaseholdError, messageOf } from '../model/errors.ts'
import type { LeaseOwner } from '../model/lease.ts'
import type { DiscardReason, WakeClaim, WakeSettlement } from '../model/outbox.ts'
import { type WakeDelivery, wakeDraft } from '../model/wake.ts'
import type { BlockedGroup, ProcessRegistry } from '../registry/registry.ts'
import type { Host } from '../runtime/host.ts'
import type { Logger } from '../runtime/logger.ts'
import { deliverToInbox } from '../runtime/session-inbox.ts'
import { isWakeReceipt, type Wake, type WakeReceipt, type WakeSink } from '../runtime/wake-sink.ts'

/** Well below the time after which a claim may be taken over. */
const LIMIT_MS = 20_000

export interface WakeParts {
  readonly host: Host
  readonly registry: ProcessRegistry
  readonly logger: Logger
  /** The announced worker that delivers: what it leaves behind at its death others take at once. */
  readonly worker?: LeaseOwner
}

export interface WakeReport {
  readonly enqueued: number
  /** Not taken: tried again later. */
  readonly retried: number
  /** Given up. Of these, `expired`, `target_gone` and `target_closed` hold up those behind them: `redriveWake(wakeId)`. */
  readonly discarded: readonly DiscardedWake[]
}

export type DiscardedWake = Pick<BlockedGroup, 'wakeId' | 'sessionId' | 'processId' | 'reason'>

/** Hands over every wake that is due, and those behind it, until none is. Stops early when the signal fires. */
export async function deliverWakes(parts: WakeParts, signal?: AbortSignal): Promise<WakeReport> {
  const claimer = parts.worker === undefined ? {} : { worker: parts.worker }
  const report = { enqueued: 0, retried: 0, discarded: [] as DiscardedWake[] }
  while (signal?.aborted !== true) {
    const { claims, expired } = await parts.registry.claimWakes(claimer)
    for (const delivery of expired) tellDiscarded(parts.logger, report.discarded, delivery, 'expired')
    await Promise.all(claims.map(claim => handOver(parts, claim, report, signal)))
    if (claims.length === 0 && expired.length === 0) break
  }
  return report
}

/** Each wake by itself: one that fails keeps no other. */
async function handOver(
  { host, registry, logger }: WakeParts,
  claim: WakeClaim,
  report: { enqueued: number; retried: number; readonly discarded: DiscardedWake[] },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { delivery, attempt } = claim
  const about = { processId: delivery.processId, wakeId: delivery.wakeId }
  const receipt = await take(
    { host, registry },
    { ...delivery, draft: wakeDraft(delivery), attempt },
    signal,
  ).catch(error => {
    logger.warn('a wake was not taken; trying again later', { ...about, attempt, error: messageOf(error) })
    return 'not_now' as const
  })
  try {
    await registry.settleWake(claim, settlementOf(receipt))
  } catch (error) {
    // Whoever has it by now goes on, or its claim lapses: the receiver keeps one of them.
    logger.warn('a wake was handed over and could not be settled', { ...about, error: messageOf(error) })
    return
  }
  if (receipt === 'enqueued') report.enqueued++
  else if (receipt === 'not_now') report.retried++
  else tellDiscarded(logger, report.discarded, delivery, receipt)
}

async function take(
  { host, registry }: Pick<WakeParts, 'host' | 'registry'>,
  wake: Wake,
  stop: AbortSignal | undefined,
): Promise<WakeReceipt> {
  const inbox = (taken: Wake) => deliverToInbox(host, registry, taken)
  if (host.wakes === undefined) return inbox(wake)
  const limit = AbortSignal.timeout(LIMIT_MS)
  const signal = stop === undefined ? limit : AbortSignal.any([limit, stop])
  return takenBy(host.wakes, wake, { signal, inbox })
}

/** A sink that does not heed its signal is left alone; what it takes after all, it takes twice. */
async function takenBy(
  sink: WakeSink,
  wake: Wake,
  options: Parameters<WakeSink['deliver']>[1],
): Promise<WakeReceipt> {
  const { signal } = options
  const over = Promise.withResolvers<never>()
  const stop = () => over.reject(signal.reason)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const answer = await Promise.race([sink.deliver(wake, options), over.promise])
    if (isWakeReceipt(answer)) return answer
    const found = typeof answer === 'string' ? `"${answer}"` : typeof answer
    throw new LeaseholdError(
      'host_invalid',
      `The sink for wakes answers "enqueued", "not_now", "target_gone", "target_closed" or "sequence_rewound"; found ${found}.`,
    )
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function settlementOf(receipt: WakeReceipt): WakeSettlement {
  switch (receipt) {
    case 'enqueued':
      return { type: 'enqueued' }
    case 'not_now':
      return { type: 'retry' }
    default:
      return { type: 'discard', reason: receipt }
  }
}

function tellDiscarded(
  logger: Logger,
  discarded: DiscardedWake[],
  { wakeId, targetSessionId, processId }: WakeDelivery,
  reason: DiscardReason,
): void {
  discarded.push({ wakeId, sessionId: targetSessionId, processId, reason })
  if (reason === 'sequence_rewound') return
  logger.warn('a wake was given up; those behind it wait until it is redriven (leasehold wakes redrive)', {
    ...{ wakeId, sessionId: targetSessionId, processId, reason },
  })
}
