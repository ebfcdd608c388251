import type { Effect, StepAnswer } from '../../model/effect.ts'
import type { JournalEntry } from '../../model/journal.ts'

/** The ledger of what `once` steps did in the world outside, of all epochs. */
export interface EffectOperations {
  /** In order of epoch and position. */
  effects(id: string): Promise<Effect[]>
  /**
   * Somebody has looked at the destination and says what became of a `once` step whose outcome is unknown: it took
   * effect, with this value, or it did not. A process that waits for that (`onUnknown: 'ask'`) goes on: with the value,
   * or by running the step again. One that was told of the unknown outcome is not changed by it; the ledger is.
   *
   * `step_in_flight`: whoever claimed the step may still begin it. `step_resolution_conflict`: it is known otherwise.
   * `step_not_found`: no such step. The same answer again is replayed.
   */
  resolveStep(id: string, step: string, answer: StepAnswer, options: ResolveOptions): Promise<ResolveResult>
  /** What the current epoch has at this address. */
  journalEntry(id: string, address: string): Promise<JournalEntry | undefined>
}

export interface ResolveOptions {
  /** Who says so; for the record. */
  readonly by: string
  /** Default: the current one. */
  readonly epoch?: number
  /** The incarnation of the worker that claimed the step, if the operating system says that it is dead. */
  readonly deadWorker?: string
}

export interface ResolveResult {
  readonly type: 'resolved' | 'replayed'
  readonly effect: Effect
  /** A parked process was waiting for it: whoever can submit should do so now, instead of leaving it to the sweep. */
  readonly isDue: boolean
}
