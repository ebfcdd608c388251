import { randomUUID } from 'node:crypto'
import type { ExecutionEnvironment } from '../execution/environment.ts'
import { isProvablyDead } from '../execution/liveness.ts'
import type { DeathEvidence, LeaseOwner, ProcessLease } from '../model/lease.ts'

/** Long enough for a pass that is slow, short enough that a host that vanished is missed for seconds only. */
const TTL_MS = 5_000

/** Work of the registry that one of its workers at a time does, under a lease of the registry's. */
export class Duty {
  readonly #environment: ExecutionEnvironment
  readonly #name: string
  readonly #owner: LeaseOwner
  #lease: ProcessLease | undefined

  constructor(environment: ExecutionEnvironment, name: string) {
    this.#environment = environment
    this.#name = name
    this.#owner = {
      ...environment.worker,
      ownerId: `${environment.worker.ownerId}:${name}`,
      incarnationId: randomUUID(),
    }
  }

  /** Takes it, or extends what is held already. False: another worker has it, and is not proven dead. */
  async take(): Promise<boolean> {
    const { registry, worker } = this.#environment
    const first = await registry.claimDuty(this.#name, this.#owner, { ttlMs: TTL_MS })
    if (first.type === 'acquired') return this.#hold(first.lease)
    if (!isProvablyDead(first.holder.owner, worker)) return false
    const evidence: DeathEvidence = {
      incarnationId: first.holder.owner.incarnationId,
      fence: first.holder.fencingToken,
    }
    const second = await registry.claimDuty(this.#name, this.#owner, { ttlMs: TTL_MS, evidence })
    return second.type === 'acquired' && this.#hold(second.lease)
  }

  /** Gives it back, so that the next worker takes it at once. */
  async release(): Promise<void> {
    const lease = this.#lease
    this.#lease = undefined
    if (lease !== undefined) await this.#environment.registry.release(lease).catch(() => {})
  }

  #hold(lease: ProcessLease): true {
    this.#lease = lease
    return true
  }
}
