import type { WakeDelivery, WakeDraft } from '../model/wake.ts'

/**
 * Where wakes go. A wake is handed over at least once, and again after a crash: the receiver keeps one of each
 * `draft.sourceKey`. The wakes of one process for one session come one after the other, in the order of their events.
 */
export interface WakeSink {
  /**
   * Has the wake when it resolves. What it throws is logged, and the wake is tried again later, as with `not_now`; so is
   * one that was not taken within 20 seconds.
   */
  deliver(wake: Wake, options: WakeOptions): WakeReceipt | Promise<WakeReceipt>
}

export interface Wake extends WakeDelivery {
  /** As the session's model reads it, with the key that tells a repeated wake. */
  readonly draft: WakeDraft
  /** From 1. */
  readonly attempt: number
}

export interface WakeOptions {
  /** Fires when the time to take it is over, or the worker stops. */
  readonly signal: AbortSignal
  /** The default: a turn of the target session. For what the host does not deliver itself. */
  readonly inbox: (wake: Wake) => Promise<WakeReceipt>
}

export type WakeReceipt =
  /** The receiver has it. */
  | 'enqueued'
  /** Tried again later: after 50 ms, doubling to 5 min, for 7 days. */
  | 'not_now'
  /** The session is deleted for good: the wake is given up and holds up those behind it, until somebody redrives it. */
  | 'target_gone'
  /** The session is closed: given up likewise. */
  | 'target_closed'
  /** The session has heard of this or of a later event of the process already. */
  | 'sequence_rewound'

const RECEIPTS: ReadonlySet<unknown> = new Set<WakeReceipt>([
  'enqueued',
  'not_now',
  'target_gone',
  'target_closed',
  'sequence_rewound',
])

export const isWakeReceipt = (answer: unknown): answer is WakeReceipt => RECEIPTS.has(answer)
