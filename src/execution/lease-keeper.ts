import { isLeaseholdError, messageOf } from '../model/errors.ts'
import { clockSkew, type LeaseTimings, type ProcessLease } from '../model/lease.ts'
import type { ProcessRegistry } from '../registry/registry.ts'
import type { Logger } from '../runtime/logger.ts'

export interface LeaseKeeperOptions {
  readonly registry: ProcessRegistry
  readonly timings: LeaseTimings
  readonly logger: Logger
  /** At each renewal, for the backend's own heartbeat. */
  readonly onRenewed: () => void
  /** Somebody else holds the process now, or it has ended. Called once. */
  readonly onLost: () => void
}

/**
 * Keeps one attempt's lease. It holds its own deadline on the monotonic clock, counted from the moment a renewal was
 * *sent*, so it stops before the store's clock lets anybody else in:
 *
 *   usable ──deadline, or a jump between the clocks──▶ doubtful ──renewed or taken again──▶ usable
 *                                                        └── refused: superseded or terminal ──▶ lost
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  #lease: ProcessLease
  #sentAt: { monotonic: number; wall: number }
  #skewMs: number
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<boolean> | undefined
  #isLost = false

  constructor(lease: ProcessLease, sentAt: { monotonic: number; wall: number }, options: LeaseKeeperOptions) {
    this.#lease = lease
    this.#sentAt = sentAt
    this.#options = options
    this.#skewMs = this.#skewOf(lease, sentAt.wall)
    this.#schedule()
  }

  /** The lease to present. After a re-claim it bears another fence. */
  get lease(): ProcessLease {
    return this.#lease
  }

  /** Another holder came, or the process ended: this attempt writes nothing more. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** May a step start and a write be tried without asking the store first? */
  get isUsable(): boolean {
    const { ttlMs } = this.#options.timings
    const elapsed = performance.now() - this.#sentAt.monotonic
    const drift = Math.abs(Date.now() - this.#sentAt.wall - elapsed)
    // A third of the lease between the clocks: the machine slept, or its time was set. Ask before going on.
    return !this.#isLost && elapsed < ttlMs * 0.9 && drift < ttlMs / 3
  }

  /**
   * The registry's time, as far as this host can tell: its own clock, put right at each renewal. What several hosts must
   * agree on (until when a process sleeps, when a step may begin at the latest) is said in it.
   */
  now(): number {
    return Date.now() + this.#skewMs
  }

  #skewOf({ expiresAtMs }: ProcessLease, sentMs: number): number {
    return clockSkew(expiresAtMs - this.#options.timings.ttlMs, sentMs, Date.now())
  }

  /** Resolves to true when the lease may be used, renewing or re-claiming it where that is in doubt. */
  async ensure(): Promise<boolean> {
    return this.isUsable || this.renew()
  }

  /** Renews now; calls that come meanwhile share the answer. */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #renewOnce(): Promise<boolean> {
    if (this.#isLost) return false
    const { registry, timings, logger, onRenewed, onLost } = this.#options
    const sentAt = clocks()
    try {
      this.#lease = await renewOrReacquire(registry, this.#lease, timings.ttlMs)
      this.#sentAt = sentAt
      this.#skewMs = this.#skewOf(this.#lease, sentAt.wall)
      onRenewed()
      return true
    } catch (error) {
      if (!isLeaseholdError(error, 'process_lease_lost') && !isLeaseholdError(error, 'process_unknown')) {
        // The store cannot be reached now. Until the deadline the lease still holds; after it, nothing starts.
        logger.warn('lease not renewed', { processId: this.#lease.processId, error: messageOf(error) })
        return false
      }
      this.#isLost = true
      this.stop()
      logger.warn('lease lost, deferring to the new owner', {
        processId: this.#lease.processId,
        reason: messageOf(error),
      })
      onLost()
      return false
    }
  }

  #schedule(): void {
    const { renewIntervalMs, ttlMs } = this.#options.timings
    const due = performance.now() + renewIntervalMs
    this.#timer = setTimeout(async () => {
      const lateMs = performance.now() - due
      if (lateMs > ttlMs / 3) {
        this.#options.logger.warn(
          'the event loop was blocked, or the machine paused, for over a third of the lease',
          {
            processId: this.#lease.processId,
            lateMs: Math.round(lateMs),
          },
        )
      }
      await this.renew()
      if (this.#timer !== undefined) this.#schedule()
    }, renewIntervalMs)
  }
}

export const clocks = (): { monotonic: number; wall: number } => ({
  monotonic: performance.now(),
  wall: Date.now(),
})

/** A lease that lapsed without being superseded is taken again by the same incarnation. */
async function renewOrReacquire(
  registry: ProcessRegistry,
  lease: ProcessLease,
  ttlMs: number,
): Promise<ProcessLease> {
  try {
    return await registry.renew(lease, ttlMs)
  } catch (error) {
    if (!isLeaseholdError(error, 'process_lease_lost')) throw error
    return registry.reacquire(lease, ttlMs)
  }
}
