import type { ExecutionEnvironment } from '../execution/environment.ts'
import { LeaseholdError } from '../model/errors.ts'
import { DutyTimer } from './duty-timer.ts'
import { compactTombstones, type PagingOptions, pruneProcesses } from './prune.ts'

/** How long what has ended is kept. What is not said is kept for ever. */
export interface Retention {
  /** Since its last change. At least a minute. */
  readonly processesMs?: number
  /** Since the prune; until then a repeated start is refused and not run. At least a minute. */
  readonly tombstonesMs?: number
}

const LEAST_MS = 60_000
const HOUR_MS = 3_600_000

/** Throws `host_invalid`: a retention that is nearly none would delete outcomes before anybody has read them. */
export function requireRetention(retention: Retention): Retention {
  for (const [name, ms] of Object.entries(retention)) {
    if (ms === undefined || (Number.isSafeInteger(ms) && ms >= LEAST_MS)) continue
    throw new LeaseholdError(
      'host_invalid',
      `A worker's retention.${name} is a whole number of milliseconds, at least ${LEAST_MS}; found ${ms}.`,
    )
  }
  return retention
}

/**
 * Prunes by a worker's retention: when the worker starts, then every hour, or as often as the shortest time that is
 * kept. Of all the workers of a registry one at a time does it, by its own setting. Ages are counted by the store's clock.
 */
export class Pruner {
  readonly #environment: ExecutionEnvironment
  readonly #retention: Retention
  readonly #timer: DutyTimer

  constructor(environment: ExecutionEnvironment, retention: Retention = {}) {
    this.#environment = environment
    this.#retention = requireRetention(retention)
    const { processesMs = HOUR_MS, tombstonesMs = HOUR_MS } = retention
    const everyMs = Math.min(HOUR_MS, processesMs, tombstonesMs)
    this.#timer = new DutyTimer(environment, { name: 'prune', everyMs, pass: paging => this.#prune(paging) })
  }

  start(): void {
    const { processesMs, tombstonesMs } = this.#retention
    if (processesMs !== undefined || tombstonesMs !== undefined) this.#timer.start()
  }

  /** Ends after the page in flight. */
  stop(): Promise<void> {
    return this.#timer.stop()
  }

  async #prune(paging: PagingOptions): Promise<void> {
    const { registry, logger } = this.#environment
    const { processesMs, tombstonesMs } = this.#retention
    const now = await registry.now()
    if (processesMs !== undefined) {
      const { kept, ...counts } = await pruneProcesses(registry, { before: now - processesMs }, paging)
      if (counts.prunedProcesses + counts.keptProcesses > 0) logger.info('pruned', counts)
    }
    if (tombstonesMs !== undefined) await compactTombstones(registry, now - tombstonesMs, paging)
  }
}
