import { randomUUID } from 'node:crypto'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isProvablyDead } from '../execution/liveness.ts'
import type { ProcessRunner } from '../execution/runner.ts'
import type { ProcessRunHandle } from '../execution/submit.ts'
import { messageOf } from '../model/errors.ts'
import type { DeathEvidence, LeaseOwner, ProcessLease } from '../model/lease.ts'
import { sweepOnce } from './sweep.ts'

const INTERVAL_MS = 1_000
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
  #timer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #sweeping: Promise<void> | undefined
  #isStopped = true

  constructor(environment: ExecutionEnvironment, runner: ProcessRunner, handle: ProcessRunHandle) {
    this.#environment = environment
    this.#runner = runner
    this.#handle = handle
    this.#owner = {
      ...environment.worker,
      ownerId: `${environment.worker.ownerId}:${DUTY}`,
      incarnationId: randomUUID(),
    }
  }

  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#unsubscribe = this.#environment.registry.hub.subscribeAny(() => this.#scheduleLook())
    this.#schedule(0)
  }

  /** Ends the pass in flight and gives the duty back, so that the next worker takes it at once. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#unsubscribe?.()
    clearTimeout(this.#timer)
    await this.#sweeping
    if (this.#lease !== undefined) await this.#environment.registry.release(this.#lease).catch(() => {})
  }
  #lease: ProcessLease | undefined
  #isLooking = false

  /** A change: is something due now? Many changes in a row are one look. */
  #scheduleLook(): void {
    if (this.#isLooking || this.#isStopped) return
    this.#isLooking = true
    setImmediate(async () => {
      this.#isLooking = false
      const ms = await this.#environment.registry.msUntilDue().catch(() => undefined)
      if (ms !== undefined && ms < INTERVAL_MS) this.#schedule(ms)
    })
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#sweeping ??= this.#sweep().finally(() => {
        this.#sweeping = undefined
      })
    }, ms)
  }

  async #sweep(): Promise<void> {
    const { registry, logger } = this.#environment
    let nextMs = INTERVAL_MS
    try {
      if (await this.#takeDuty()) {
        const report = await sweepOnce(this.#environment, this.#runner, this.#handle)
        for (const { id, reason } of report.failed)
          logger.warn('not submitted; the row stays due', { processId: id, reason })
        // What failed stays due: it waits for the next regular pass instead of being tried in a loop.
        if (report.failed.length === 0)
          nextMs = Math.min(INTERVAL_MS, (await registry.msUntilDue()) ?? INTERVAL_MS)
      }
    } catch (error) {
      logger.warn('sweep failed; trying again', { error: messageOf(error) })
    }
    this.#schedule(nextMs)
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
