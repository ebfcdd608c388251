import { deliverWakes } from '../execution/deliver-wakes.ts'
import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { messageOf } from '../model/errors.ts'

/** After a look that found no wake due. Changes come in quick succession, and few of them wake anybody. */
const LOOKS_APART_MS = 25

/**
 * Delivers wakes when a change may have made one due, at the next due time, and every second. All the workers of a registry
 * do it: of several who reach for one wake its claim lets one have it.
 */
export class WakeDeliverer {
  readonly #environment: ExecutionEnvironment
  readonly #watch: DueWatch
  readonly #stop = new AbortController()

  constructor(environment: ExecutionEnvironment) {
    this.#environment = environment
    const { registry } = environment
    this.#watch = new DueWatch(registry, {
      pass: () => this.#deliver(),
      msUntilDue: () => registry.msUntilWakeDue(),
      isAnyOfInterest: true,
      looksApartMs: LOOKS_APART_MS,
    })
  }

  start(): void {
    this.#watch.start()
  }

  /** What is being handed over is tried again by others, unless it is settled first. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('The worker stops.'))
    await this.#watch.stop()
  }

  async #deliver(): Promise<number> {
    const { registry, logger } = this.#environment
    try {
      await deliverWakes(this.#environment, this.#stop.signal)
      return (await registry.msUntilWakeDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      logger.warn('wakes could not be delivered; trying again', { error: messageOf(error) })
      return REGULAR_PASS_MS
    }
  }
}
