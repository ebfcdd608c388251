import { randomUUID } from 'node:crypto'
import { DueWatch, REGULAR_PASS_MS } from '../execution/due-watch.ts'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isProvablyDead } from '../execution/liveness.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import type { ProcessRunHandle } from '../execution/submit.ts'
import { messageOf } from '../model/errors.ts'
import type { DeathEvidence, LeaseOwner, ProcessLease } from '../model/lease.ts'
import { sweepOnce } from './sweep.ts'

const DUTY = 'sweep'
/** Long enough for a pass that is slow, short enough that a host that vanished is missed for seconds only. */
const DUTY_TTL_MS = 5_000

/**
 * Sweeps every second, at the next due time, and at once when a change may have made something due. Of all the workers
 * of a registry one at a time does it, under a lease of the registry's.
 */
export class Sweeper {
  readonly #environment: ExecutionEnvironment
  readonly #runner: ProcessRunner
  readonly #handle: ProcessRunHandle
  readonly #owner: LeaseOwner
  readonly #watch: DueWatch
  #lease: ProcessLease | undefined

  constructor(environment: ExecutionEnvironment, runner: ProcessRunner, handle: ProcessRunHandle) {
    this.#environment = environment
    this.#runner = runner
    this.#handle = handle
    this.#owner = {
      ...environment.worker,
      ownerId: `${environment.worker.ownerId}:${DUTY}`,
      incarnationId: randomUUID(),
    }
    this.#watch = new DueWatch(environment.registry, { pass: () => this.#sweep() })
  }

  start(): void {
    this.#watch.start()
  }

  /** Ends the pass in flight and gives the duty back, so that the next worker takes it at once. */
  async stop(): Promise<void> {
    await this.#watch.stop()
    const lease = this.#lease
    this.#lease = undefined
    if (lease !== undefined) await this.#environment.registry.release(lease).catch(() => {})
  }

  async #sweep(): Promise<number> {
    const { registry, logger } = this.#environment
    try {
      if (!(await this.#takeDuty())) return REGULAR_PASS_MS
      const report = await sweepOnce(this.#environment, this.#runner, this.#handle)
      for (const { id, reason } of report.failed)
        logger.warn('not submitted; the row stays due', { processId: id, reason })
      // What failed stays due: it waits for the next regular pass instead of being tried in a loop.
      if (report.failed.length > 0) return REGULAR_PASS_MS
      return (await registry.msUntilDue()) ?? REGULAR_PASS_MS
    } catch (error) {
      logger.warn('sweep failed; trying again', { error: messageOf(error) })
      return REGULAR_PASS_MS
    }
  }

  async #takeDuty(): Promise<boolean> {
    const { registry } = this.#environment
    const first = await registry.claimDuty(DUTY, this.#owner, { ttlMs: DUTY_TTL_MS })
    if (first.type === 'acquired') return this.#hold(first.lease)
    if (!isProvablyDead(first.holder.owner, this.#environment.worker)) return false
    const evidence: DeathEvidence = {
      incarnationId: first.holder.owner.incarnationId,
      fence: first.holder.fencingToken,
    }
    const second = await registry.claimDuty(DUTY, this.#owner, { ttlMs: DUTY_TTL_MS, evidence })
    return second.type === 'acquired' && this.#hold(second.lease)
  }

  #hold(lease: ProcessLease): true {
    this.#lease = lease
    return true
  }
}
