import type { DeferReason, DrainReport } from '../model/drain.ts'
import type { ProcessId } from '../model/ids.ts'
import type { AttemptResult } from './attempt-result.ts'

type Fate = 'ended' | 'released' | 'abandoned' | DeferReason

/**
 * Counts what becomes of the attempts that run while their worker stops. Only what is committed counts as abandoned; a
 * later word on the same process replaces an earlier one.
 */
export class DrainTally {
  readonly #fates = new Map<ProcessId, Fate>()
  #isOpen = false

  /** From now on results count. */
  open(): void {
    this.#isOpen = true
  }

  note(id: ProcessId, result: AttemptResult): void {
    const fate = fateOf(result)
    if (this.#isOpen && fate !== undefined) this.#fates.set(id, fate)
  }

  settle(id: ProcessId, fate: Fate): void {
    this.#fates.set(id, fate)
  }

  report(): DrainReport {
    const fates = [...this.#fates].sort(([left], [right]) => (left < right ? -1 : 1))
    const those = (wanted: Fate) => fates.flatMap(([id, fate]) => (fate === wanted ? [id] : []))
    return {
      ended: those('ended'),
      released: those('released'),
      abandoned: those('abandoned'),
      deferred: fates.flatMap(([id, fate]) =>
        fate === 'ended' || fate === 'released' || fate === 'abandoned' ? [] : [{ id, reason: fate }],
      ),
    }
  }
}

function fateOf(result: AttemptResult): Fate | undefined {
  switch (result.type) {
    case 'ended':
      return result.outcome.status === 'abandoned' ? 'abandoned' : 'ended'
    case 'parked':
    case 'released':
      return 'released'
    case 'lost':
      return 'lease_lost'
    case 'store_failed':
      return 'backend_error'
    case 'silent':
      // It never ran here.
      return undefined
  }
}
