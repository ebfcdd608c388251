import type { ExecutionEnvironment } from '../execution/environment.ts'
import { LeaseholdError, messageOf } from '../model/errors.ts'
import { Duty } from './duty.ts'
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
  readonly #duty: Duty
  #timer: NodeJS.Timeout | undefined
  #pruning: Promise<void> | undefined
  #isStopped = true

  constructor(environment: ExecutionEnvironment, retention: Retention = {}) {
    this.#environment = environment
    this.#retention = requireRetention(retention)
    this.#duty = new Duty(environment, 'prune')
  }

  start(): void {
    const { processesMs, tombstonesMs } = this.#retention
    if (!this.#isStopped || (processesMs === undefined && tombstonesMs === undefined)) return
    this.#isStopped = false
    const everyMs = Math.min(HOUR_MS, processesMs ?? HOUR_MS, tombstonesMs ?? HOUR_MS)
    const look = () => {
      this.#pruning ??= this.#prune().finally(() => {
        this.#pruning = undefined
      })
    }
    this.#timer = setInterval(look, everyMs)
    look()
  }

  /** Ends after the page in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#pruning
    await this.#duty.release()
  }

  async #prune(): Promise<void> {
    const { registry, logger } = this.#environment
    const { processesMs, tombstonesMs } = this.#retention
    // Between pages the duty is extended: a pass may take longer than its lease.
    const paging: PagingOptions = { mayGoOn: async () => !this.#isStopped && (await this.#duty.take()) }
    try {
      if (!(await this.#duty.take())) return
      const now = await registry.now()
      if (processesMs !== undefined) {
        const { kept, ...counts } = await pruneProcesses(registry, { before: now - processesMs }, paging)
        if (counts.prunedProcesses + counts.keptProcesses > 0) logger.info('pruned', counts)
      }
      if (tombstonesMs !== undefined) await compactTombstones(registry, now - tombstonesMs, paging)
    } catch (error) {
      logger.warn('pruning failed; trying again later', { error: messageOf(error) })
    }
  }
}
